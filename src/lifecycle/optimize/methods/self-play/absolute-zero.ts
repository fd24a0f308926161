import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { propose } from "../../../../gro/generate/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { learnability } from "../../../../gro/reward/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { proposeAndSolve, proposeAndSolveOptions } from "./propose-and-solve.ts";

const optionsSchema = z.strictObject(proposeAndSolveOptions);
export type AbsoluteZeroOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Absolute Zero (arXiv 2505.03335, section 3): one model proposes programs with inputs and solves them, by deduction, abduction and
 * induction; an executor says what is valid and what is right, and nobody gives it an answer:
 *
 *   r_propose = 1 − r̄_solve, 0 where r̄_solve is 0 or 1;  r_solve(y) = 1[the executor finds y right]
 *   A = (r − μ_kind,role) / σ_kind,role: a baseline for each role at each kind of task (TRR++, equation 8)
 *
 * `programs()` is its task. A turn proposes and learns to, then solves what was proposed and learns to: the paper takes one step for both
 * roles together, here each has its own. Mean and deviation are taken over tokens, as the paper's code does. There is no buffer of triples:
 * the paper shows a proposer some of its own, and fills up a solver's batch from them; here proposals are written in view of items of the
 * round, which the task's own generator gives, and what is solved is what was proposed in the turn. A proposal that is none and a wrong
 * answer are worth 0; the paper takes .5 for a wrong answer of the right form, and 1 for what has a wrong form (equation 6).
 *
 * Defaults: 8 turns of 32 items × 4 proposals, 8 attempts at each, solving at 3e-4 and proposing at 3e-5.
 *
 * @example
 * defineRun({ task: programs(), optimize: absoluteZero({ turns: 4 }) })
 */
export function absoluteZero(options: AbsoluteZeroOptions = {}): Method {
  const read = readOptions("absoluteZero()", optionsSchema, options);
  return proposeAndSolve({
    name: "Absolute Zero",
    description: read,
    read,
    propose: propose({ samples: read.proposals }),
    worth: learnability({ attempts: read.attempts }),
    learnt: (learningRate) => policyGradient({ learningRate, advantages: "batch", byKind: true }),
  });
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
  differs:
    "each role takes a step of its own, the paper's take one together; there is no buffer of triples: proposals are written in view of items that the task's generator gives, and a batch of proposals to solve is not filled up from earlier ones; what is wrong is worth 0, the paper's −.5, and −1 where its form is wrong",
  options: optionsSchema,
  make: absoluteZero,
  vary: [
    ["absoluteZero({ attempts: 16 })", "a surer estimate of how hard a proposal is"],
    [
      "absoluteZero({ proposerLearningRate: 3e-4 })",
      "proposing moves the weights as much as solving: a small model then loses what solving taught it",
    ],
  ],
};
