import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { propose, samples } from "../../../../gro/generate/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { labelled, learnability, repetition } from "../../../../gro/reward/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { madeWithin, makingItems } from "./made-items.ts";

const optionsSchema = z.strictObject({
  /** Steps of the proposer, and then of the solver, in a round. */
  steps: z.number().int().min(2).default(8),
  /** Items of a step: seeds of the proposer, proposals of the solver. */
  items: z.number().int().min(1).default(32),
  /** Proposals at each seed, attempts of the solver at each item. */
  samples: z.number().int().min(2).default(8),
  /** Attempts that estimate how often a proposal is solved, and vote for its answer. */
  attempts: z.number().int().min(2).default(10),
  /** Of how many of ten attempts a proposal must be solved to be learnt from: the answer is then neither sure nor noise. */
  band: z
    .tuple([z.number().min(0).max(1), z.number().min(0).max(1)])
    .readonly()
    .refine(([low, high]) => low <= high, "expected the lower share first, as in [0.3, 0.7]")
    .default([0.3, 0.7]),
  /** λ: what the share of a step's proposals that say nearly the same takes from a proposal's reward. */
  repetition: z.number().min(0).default(1),
  learningRate: z.number().positive().default(3e-4),
});
export type RZeroOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * R-Zero (arXiv 2508.05004, section 3): a challenger and a solver begin as the same weights. The challenger is rewarded for problems
 * that the solver is least sure of, the solver learns from those of middling difficulty, with its own majority as the answer:
 *
 *   r_challenger = max(0, 1 − 2·|p̂ − ½| − λ·|C| / B), p̂ = share of m answers that agree with the majority; 0 for what is no problem
 *   D = {(x, ŷ): |p̂(x) − ½| ≤ δ};  r_solver(y) = 1[answer(y) = ŷ(x)], both by GRPO
 *
 * C is the proposal's cluster in the step's batch of B, by BLEU, see {@link repetition}; a problem that was proposed already, by the
 * task's own identity, is worth nothing at all. Where two answers have as many votes the challenger is rewarded as the share says, and
 * the solver has no answer to learn. Nothing outside the model says what is right: it sharpens, and the share of right labels falls
 * from round to round (79, 69, 63 % in the paper).
 *
 * Defaults: 8 steps of each at 3e-4, 32 items × 8 samples, λ = 1 and clusters at a distance of .5, 10 attempts a proposal, kept where 3 to 7 of 10 agree.
 *
 * @example
 * rZero({ steps: 8, attempts: 10 })
 */
export function rZero(options: RZeroOptions = {}): Method {
  const read = readOptions("rZero()", optionsSchema, options);
  const { steps, items, attempts, band, learningRate } = read;
  const challenge = learnability({ attempts, by: "majority", form: "middle" });
  const update = policyGradient({ learningRate });
  const roles = ["solver", "proposer"];
  const within = madeWithin(band[0], band[1]);
  return {
    name: "R-Zero",
    description: { ...read, band: band.join("–") },
    roles,
    alike: true,
    lead: "solver",
    deliver: roles,
    learnsBy: "policy-gradient",
    passes: [
      {
        roles: ["proposer"],
        asks: ["solver"],
        items,
        generate: propose({ samples: read.samples }),
        reward: repetition({ of: challenge, weight: read.repetition }),
        update,
        repeat: steps,
        start: "current",
      },
      makingItems("proposer", { generate: propose({ samples: 2 }), reward: challenge }, roles),
      {
        roles: ["solver"],
        items,
        ...within,
        // Where the vote was tied there is no answer to learn.
        itemsFrom: (...given) => within.itemsFrom(...given).filter(({ answer }) => answer !== undefined),
        generate: samples({ samples: read.samples }),
        reward: labelled(),
        update,
        repeat: steps,
        start: "current",
      },
    ],
  };
}

export const rZeroPage: MethodPage = {
  name: "r-zero",
  title: "R-Zero",
  paradigm: "self-play",
  reward: "self-derived",
  summary:
    "A challenger learns to propose what the solver is least sure of; the solver learns from it, its own majority as the answer.",
  formula:
    "r_challenger = max(0, 1 − 2·|p̂ − ½| − λ·|C|/B), C the proposal's cluster among B by BLEU;  r_solver(y) = 1[answer(y) = majority], on problems with p̂ in [.3, .7]; both by GRPO",
  source: "arXiv 2508.05004, section 3",
  checked: false,
  differs: "a tied vote gives the solver no answer to learn; an equal problem is worth nothing",
  options: optionsSchema,
  make: rZero,
  vary: [
    ["rZero({ band: [0, 1] })", "the control: every proposal is learnt from, sure and noisy ones too"],
    ["rZero({ repetition: 0 })", "the control: nothing is taken from proposals that say nearly the same"],
    ["rZero({ attempts: 20 })", "a surer estimate of how hard a proposal is"],
  ],
};
