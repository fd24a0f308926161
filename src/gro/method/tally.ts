import { z } from "zod";
import type { Tolerance, TrainingEvidence } from "../../foundation/contract/index.ts";

/** Sums that add up over repetitions, passes and roles; what meters and guards read is made of them. */
export const tallySchema = z.object({
  rollouts: z.number(),
  /** Of the lead, judged by the task's verifier. */
  judged: z.number(),
  judgedRight: z.number(),
  kept: z.number(),
  keptJudged: z.number(),
  keptRight: z.number(),
  mismatchSum: z.number(),
  mismatchCount: z.number(),
  mismatchMax: z.number(),
  freshness: z.number().nullable(),
  tokensSampled: z.number(),
  tokensTrained: z.number(),
  realTokens: z.number(),
});
export type Tally = z.infer<typeof tallySchema>;

export const emptyTally: Tally = {
  rollouts: 0,
  judged: 0,
  judgedRight: 0,
  kept: 0,
  keptJudged: 0,
  keptRight: 0,
  mismatchSum: 0,
  mismatchCount: 0,
  mismatchMax: 0,
  freshness: null,
  tokensSampled: 0,
  tokensTrained: 0,
  realTokens: 0,
};

export function addTallies(tallies: readonly Partial<Tally>[]): Tally {
  const total = { ...emptyTally };
  for (const tally of tallies) {
    for (const key of Object.keys(emptyTally) as (keyof Tally)[]) {
      const value = tally[key];
      if (value === undefined || value === null) continue;
      if (key === "mismatchMax" || key === "freshness") total[key] = Math.max(total[key] ?? 0, value);
      else total[key] += value;
    }
  }
  return total;
}

/** `tolerance` is how far the engine lets a sampled and a recomputed logprob differ in the run's precision. */
export function evidenceOf(tally: Tally, tolerance: Tolerance): TrainingEvidence {
  const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
  return {
    rollouts: tally.rollouts,
    kept: tally.kept,
    rawLabelAccuracy: share(tally.judgedRight, tally.judged),
    keptLabelAccuracy: share(tally.keptRight, tally.keptJudged),
    keptJudged: tally.keptJudged,
    keptRight: tally.keptRight,
    mismatchMean: share(tally.mismatchSum, tally.mismatchCount),
    mismatchMax: tally.mismatchCount === 0 ? null : tally.mismatchMax,
    mismatchMeanTolerance: tolerance.meanLogprob,
    mismatchTolerance: tolerance.logprob,
    freshness: tally.freshness,
    tokensSampled: tally.tokensSampled,
    tokensTrained: tally.tokensTrained,
    realShare: share(tally.realTokens, tally.tokensTrained),
    meanResponseTokens: share(tally.tokensSampled, tally.rollouts),
  };
}
