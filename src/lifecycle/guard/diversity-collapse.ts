import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Attempts, Guard } from "../../foundation/contract/index.ts";
import { contrast, measures } from "../../foundation/statistics/index.ts";
import { actionSchema, answerBy, changeWords, type Finding, pointsWords, silent } from "./finding.ts";
import { type Reference, referencesOf } from "./references.ts";

const optionsSchema = z.strictObject({
  /** The fall of pass@k, as a share of items, that is too much when the interval shows it; any that is shown warns. */
  fall: z.number().min(0).max(1).default(0.05),
  action: actionSchema.default("roll-back"),
});
export type DiversityCollapseOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * What looks like progress may be the loss of everything but the likeliest answer: pass@1 rises while pass@k at large k, and the
 * entropy of the answers, fall (arXiv 2412.02674, section 5; of models that learn from themselves, arXiv 2311.16822). Each of the
 * three by the 95 % interval of its paired difference on the same items, from the base and from the champion.
 *
 * @example
 * defineRun({ task: reverse(), guard: [diversityCollapse({ fall: 0.1 })] });
 */
export function diversityCollapse(options: DiversityCollapseOptions = {}): Guard {
  const { fall, action } = readOptions("diversityCollapse()", optionsSchema, options);
  return {
    name: "diversity collapse",
    definition:
      "While single attempts get better, pass@k at large k and the entropy of answers do not both fall.",
    description: { fall, action },
    watch: ({ attempts }) => {
      if (attempts === null) return silent("no attempts were made");
      const found = referencesOf(attempts).map((one) => compared(one, attempts.candidate, { fall, action }));
      const worst = found.find(({ answer, remedy }) => (answer !== "ok" && answer !== "warn") || remedy);
      return (
        worst ?? found.find(({ answer }) => answer === "warn") ?? found[0] ?? silent("nothing to compare")
      );
    },
  };
}

function compared(
  { name, attempts }: Reference,
  candidate: Attempts,
  { fall, action }: z.output<typeof optionsSchema>,
): Finding {
  const one = contrast(attempts, candidate, measures.passAtOne);
  const all = contrast(attempts, candidate, measures.passAtAll);
  const entropy = contrast(attempts, candidate, measures.entropy);
  if (one === null || all === null || entropy === null) return silent("no attempt was judged");
  const evidence = `against the ${name} pass@1 ${pointsWords(one)}, pass@${candidate.samples} ${pointsWords(all)}, entropy ${changeWords(entropy, "nats")}`;
  const told = { evidence, value: all.mean, threshold: -fall };
  const narrower = one.interval.low > 0 && entropy.interval.high < 0;
  if (!narrower || !(all.interval.high < 0)) return { answer: "ok", ...told };
  if (!(all.interval.high < -fall)) return { answer: "warn", ...told };
  // The same data would lead the next round to the same place.
  return { ...answerBy(action, "add-real-data"), ...told };
}
