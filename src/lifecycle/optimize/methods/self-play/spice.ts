import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { askDocuments } from "../../../../gro/generate/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { learnability } from "../../../../gro/reward/index.ts";
import { describeDocuments, documentsOption } from "../../../../gro/rollout/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { proposeAndSolve, proposeAndSolveOptions } from "./propose-and-solve.ts";

const optionsSchema = z.strictObject({ documents: documentsOption, ...proposeAndSolveOptions });
export type SpiceOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * SPICE (arXiv 2510.24684, section 3): one model is a challenger that reads a document and writes a problem from it, and a reasoner that
 * solves the problem without the document. The challenger is rewarded where the reasoner's success varies most, both learn by Dr. GRPO:
 *
 *   r_challenger = exp(−(Var(l_1 … l_K) − ¼)² / (2 · .01)), −.1 for what is no problem;  r_reasoner(y) = 1[y is right]
 *
 * Var is that of K attempts of which each is right or wrong: p·(1 − p), greatest at p = ½. The paper takes one step for both roles
 * together; here each has its own.
 *
 * Defaults: 8 turns of 32 documents × 4 proposals, 8 attempts at each, reasoning at 3e-4 and challenging at 3e-5; the documents
 * of the task's items.
 *
 * @example
 * spice({ documents: ["Vienna lies on the Danube.", "The Danube rises in the Black Forest."] })
 */
export function spice(options: SpiceOptions = {}): Method {
  const { documents, ...read } = readOptions("spice()", optionsSchema, options);
  return proposeAndSolve({
    name: "SPICE",
    description: { ...read, ...describeDocuments(documents) },
    read,
    propose: askDocuments({
      samples: read.proposals,
      ...(documents === undefined ? {} : { documents }),
    }),
    worth: learnability({ attempts: read.attempts, form: "variance", invalid: -0.1 }),
    learnt: (learningRate) => policyGradient({ learningRate, divideByDeviation: false, average: "constant" }),
  });
}

export const spicePage: MethodPage = {
  name: "spice",
  title: "SPICE",
  paradigm: "self-play",
  reward: "external",
  summary:
    "A challenger writes problems from documents that the reasoner does not see, and is rewarded where the reasoner's success varies most.",
  formula:
    "r_challenger = exp(−(Var(l) − ¼)² / (2 · .01)), −.1 for what is no problem;  r_reasoner(y) = 1[y is right]; both by Dr. GRPO",
  source: "arXiv 2510.24684, section 3",
  checked: false,
  differs: "each role takes a step of its own, the paper's take one together",
  options: optionsSchema,
  make: spice,
  vary: [
    [
      'spice({ documents: ["Vienna lies on the Danube."] })',
      "documents of your own: texts, or a file with one a line",
    ],
    ["spice({ attempts: 16 })", "a surer estimate of how hard a proposal is"],
    [
      "spice({ proposerLearningRate: 3e-4 })",
      "challenging moves the weights as much as reasoning: a small model then loses what reasoning taught it",
    ],
  ],
};
