import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Guard } from "../../foundation/contract/index.ts";
import { averaged, contrast, measures } from "../../foundation/statistics/index.ts";
import { actionSchema, answerBy, type Finding, pointsWords, silent } from "./finding.ts";
import { referencesOf } from "./references.ts";

const optionsSchema = z.strictObject({
  /** The rise of the share of items that are locked to a wrong answer that is too much when its interval shows it. */
  rise: z.number().min(0).max(1).default(0.05),
  action: actionSchema.default("roll-back"),
});
export type MajorityLockInOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * A model that rewards itself for what it says most often may lock in what is wrong: three quarters of the attempts at an item
 * then give one and the same wrong answer (arXiv 2504.16084, "lucky hits"; 2505.21444). Acts when the share of such items rises,
 * and rises more than that of items locked to a right one, both by the 95 % interval of the paired difference; a rise alone
 * warns. Only of rewards that the model derives from its own answers.
 *
 * @example
 * gro({ generate: samples({ samples: 16 }), reward: majority(), update: supervised() }); // with the guard majorityLockIn()
 */
export function majorityLockIn(options: MajorityLockInOptions = {}): Guard {
  const { rise, action } = readOptions("majorityLockIn()", optionsSchema, options);
  return {
    name: "majority lock-in",
    definition: "Items do not lock to a wrong answer faster than to a right one.",
    description: { rise, action },
    watch: ({ attempts, rewardOrigin }) => {
      if (rewardOrigin === "external") return silent("rewards are grounded outside the model");
      if (attempts === null) return silent("no attempts were made");
      const now = averaged(attempts.candidate, measures.lockedWrong)?.mean ?? 0;
      const found = referencesOf(attempts).map(({ name, attempts: before }): Finding => {
        const wrong = contrast(before, attempts.candidate, measures.lockedWrong);
        const net = contrast(before, attempts.candidate, measures.lockedNet);
        if (wrong === null || net === null) return silent("no attempt was judged");
        const told = {
          evidence: `${(100 * now).toFixed(1)} % of items are locked to a wrong answer, ${pointsWords(wrong)} against the ${name}; wrong less right ${pointsWords(net)}`,
          value: wrong.mean,
          threshold: rise,
        };
        if (!(wrong.interval.low > rise)) return { answer: "ok", ...told };
        return net.interval.low > 0 ? { ...answerBy(action), ...told } : { answer: "warn", ...told };
      });
      const worst = found.find(({ answer, remedy }) => (answer !== "ok" && answer !== "warn") || remedy);
      return (
        worst ?? found.find(({ answer }) => answer === "warn") ?? found[0] ?? silent("nothing to compare")
      );
    },
  };
}
