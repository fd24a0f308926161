import { z } from "zod";
import { readOptions } from "../../../foundation/base/index.ts";
import type { Selector } from "../../../foundation/contract/index.ts";

const optionsSchema = z
  .strictObject({
    /** Least and greatest share of right attempts; both are kept. */
    low: z.number().min(0).max(1).default(0.2),
    high: z.number().min(0).max(1).default(0.8),
    /** Attempts at each item, sampled at T = 1 from the current lead. */
    samples: z.number().int().min(1).default(8),
  })
  .refine(({ low, high }) => low <= high, { path: ["low"], message: 'it is greater than "high"' });
export type SolveRateBandOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Keeps items that the model solves sometimes: what it always or never solves teaches a policy gradient nothing (online
 * difficulty filtering, arXiv 2504.03380). Needs the task's verifier; an item without a verdict is dropped.
 *
 * @example
 * defineRun({ task: reverse(), optimize: grpo(), select: [deduplicate(), solveRateBand({ low: 0.2, high: 0.8, samples: 8 })] });
 */
export function solveRateBand(options: SolveRateBandOptions = {}): Selector {
  const read = readOptions("solveRateBand()", optionsSchema, options);
  return {
    name: "solve-rate band",
    description: read,
    samplesPerItem: read.samples,
    select: async (members, { solveRates }) => {
      const rates = await solveRates(
        members.map(({ item }) => item),
        read.samples,
      );
      return members.flatMap(({ item }, index) => {
        const rate = rates[index];
        if (rate === null || rate === undefined || rate < read.low || rate > read.high) return [];
        return [
          { item, score: rate, reason: `solved in ${Math.round(100 * rate)} % of ${read.samples} attempts` },
        ];
      });
    },
  };
}
