import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { propose, samples } from "../../../../gro/generate/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { learnability, verifier } from "../../../../gro/reward/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { madeWithin } from "./made-items.ts";

const optionsSchema = z.strictObject({
  /** Times in a round that proposing and solving follow each other. */
  turns: z.number().int().min(1).default(8),
  /** Proposals at each item of the round. */
  proposals: z.number().int().min(2).default(4),
  /** Attempts that estimate how often a proposal is solved. */
  attempts: z.number().int().min(2).default(8),
  /** Attempts at each proposal that are learnt from. */
  samples: z.number().int().min(2).default(8),
  /** Items and proposals of a turn. */
  items: z.number().int().min(1).default(32),
  learningRate: z.number().positive().default(3e-4),
  /** Of proposing: it moves the weights that solve, and its rewards say less. */
  proposerLearningRate: z.number().positive().default(3e-5),
});
export type AbsoluteZeroOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Absolute Zero (arXiv 2505.03335, section 3): one model proposes programs with inputs and solves them, by deduction, abduction and
 * induction; an executor says what is valid and what is right, and nobody gives it a problem:
 *
 *   r_propose = 1 − r̄_solve, 0 where r̄_solve is 0 or 1;  r_solve(y) = 1[the executor finds y right]
 *   A = (r − μ_kind,role) / σ_kind,role: a baseline for each role at each kind of task (TRR++, equation 8)
 *
 * `programs()` is its task. A turn proposes and learns to, then solves what was proposed and learns to: the paper takes one step for both
 * roles together, here each has its own. Mean and deviation are taken over tokens, as the paper's code does. Proposals are written in view
 * of items of the round, which take the place of the paper's buffer of triples: they come from the task's own generator.
 *
 * Defaults: 8 turns of 32 items × 4 proposals, 8 attempts at each, solving at 3e-4 and proposing at 3e-5.
 *
 * @example
 * defineRun({ task: programs(), optimize: absoluteZero({ turns: 4 }) })
 */
export function absoluteZero(options: AbsoluteZeroOptions = {}): Method {
  const read = readOptions("absoluteZero()", optionsSchema, options);
  const { turns, items, learningRate, proposerLearningRate } = read;
  const learnt = (rate: number) => policyGradient({ learningRate: rate, advantages: "batch", byKind: true });
  return {
    name: "Absolute Zero",
    description: read,
    roles: ["solver"],
    lead: "solver",
    deliver: ["solver"],
    learnsBy: "policy-gradient",
    repeat: turns,
    passes: [
      {
        roles: ["solver"],
        items,
        generate: propose({ samples: read.proposals }),
        reward: learnability({ attempts: read.attempts }),
        update: learnt(proposerLearningRate),
        repeat: 1,
        start: "current",
      },
      {
        roles: ["solver"],
        items,
        itemsFrom: madeWithin(0, 1),
        generate: samples({ samples: read.samples }),
        reward: verifier(),
        update: learnt(learningRate),
        repeat: 1,
        start: "current",
      },
    ],
  };
}

export const absoluteZeroPage: MethodPage = {
  name: "absolute-zero",
  title: "Absolute Zero",
  paradigm: "self-play",
  reward: "external",
  summary:
    "One model proposes problems about programs and solves them; running the program says what is valid and right.",
  formula:
    "r_propose = 1 − r̄_solve, 0 where r̄_solve is 0 or 1;  r_solve(y) = 1[the executor finds y right];  A = (r − μ)/σ, of each role at each kind of task (TRR++)",
  source: "arXiv 2505.03335, section 3; TRR++ as in github.com/LeapLabTHU/Absolute-Zero-Reasoner",
  checked: false,
  make: absoluteZero,
  vary: [
    ["absoluteZero({ attempts: 16 })", "a surer estimate of how hard a proposal is"],
    [
      "absoluteZero({ proposerLearningRate: 3e-4 })",
      "proposing moves the weights as much as solving: a small model then loses what solving taught it",
    ],
  ],
};
