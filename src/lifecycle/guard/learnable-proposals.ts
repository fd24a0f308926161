import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Guard } from "../../foundation/contract/index.ts";
import { shareOf } from "../../foundation/statistics/index.ts";
import { actionSchema, answerBy, silent } from "./finding.ts";

const optionsSchema = z.strictObject({
  /** Of the proposed items, the share from which nothing can be learnt that is too much when its whole interval lies above it. */
  most: z.number().min(0).max(1).default(0.8),
  action: actionSchema.default("stop"),
});
export type LearnableProposalsOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * A model that proposes what it learns from may propose what nobody solves, or what anybody does: of attempts that are all rewarded
 * alike none is better, and nothing is learnt (Absolute Zero, arXiv 2505.03335, equation 4, pays a proposer nothing for these). Reads
 * the items that a model made and that were attempted at least twice in the round: the share of which no attempt is rewarded, or all
 * are, with its exact 95 % interval. What no model proposed is not looked at.
 *
 * @example
 * defineRun({ task: programs(), optimize: absoluteZero(), guard: [learnableProposals({ most: 0.7 })] });
 */
export function learnableProposals(options: LearnableProposalsOptions = {}): Guard {
  const { most, action } = readOptions("learnableProposals()", optionsSchema, options);
  return {
    name: "learnable proposals",
    definition: "Of the items that a model proposes, some attempts solve enough, and others do not.",
    description: { most, action },
    watch: ({ training }) => {
      const { attempted, neverSolved, alwaysSolved } = training?.proposed ?? nothingProposed;
      const idle = shareOf(neverSolved + alwaysSolved, attempted);
      if (idle === null) return silent("no model proposed an item");
      const told = {
        evidence: `of ${attempted} proposed items ${neverSolved} are solved by no attempt and ${alwaysSolved} by all: ${(100 * idle.value).toFixed(1)} % teach nothing (95 % interval ${(100 * idle.interval.low).toFixed(1)} to ${(100 * idle.interval.high).toFixed(1)})`,
        value: idle.value,
        threshold: most,
      };
      if (!(idle.value > most)) return { answer: "ok", ...told };
      return idle.interval.low > most ? { ...answerBy(action), ...told } : { answer: "warn", ...told };
    },
  };
}

const nothingProposed = { attempted: 0, neverSolved: 0, alwaysSolved: 0 };
