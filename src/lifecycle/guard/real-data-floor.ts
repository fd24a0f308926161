import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Guard } from "../../foundation/contract/index.ts";
import { actionSchema, answerBy, silent } from "./finding.ts";

const optionsSchema = z.strictObject({
  /** Least share of trained tokens that no model wrote. */
  floor: z.number().min(0).max(1).default(0.1),
  action: actionSchema.default("add-real-data"),
});
export type RealDataFloorOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Who imitates what it has judged itself needs data that no model wrote among what it learns, or errors feed on themselves
 * (arXiv 2404.01413: what is accumulated beside real data does not collapse). The next round then learns from twice their weight.
 * Rewards that are grounded outside the model, and policy gradients, need no floor.
 *
 * @example
 * defineRun({ task: reverse(), guard: [realDataFloor({ floor: 0.25 })] });
 */
export function realDataFloor(options: RealDataFloorOptions = {}): Guard {
  const { floor, action } = readOptions("realDataFloor()", optionsSchema, options);
  return {
    name: "real-data floor",
    definition:
      "Where a model learns from its own judgement, enough of what it learns is data that no model wrote.",
    description: { floor, action },
    watch: ({ training, learnsBy, rewardOrigin }) => {
      if (learnsBy !== "imitation") return silent("a policy gradient imitates nothing");
      if (rewardOrigin === "external") return silent("rewards are grounded outside the model");
      const share = training?.realShare ?? null;
      if (share === null) return silent("nothing was trained");
      const told = {
        evidence: `${(100 * share).toFixed(1)} % of trained tokens were written by no model; at least ${(100 * floor).toFixed(0)} % are asked for`,
        value: share,
        threshold: floor,
      };
      return share < floor ? { ...answerBy(action), ...told } : { answer: "ok", ...told };
    },
  };
}
