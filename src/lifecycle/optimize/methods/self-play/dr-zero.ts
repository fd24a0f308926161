import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { askDocuments, withSearch } from "../../../../gro/generate/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { learnability, throughout, verifier } from "../../../../gro/reward/index.ts";
import { describeDocuments, documentsOption } from "../../../../gro/rollout/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { madeWithin, makingItems } from "./made-items.ts";

const optionsSchema = z.strictObject({
  documents: documentsOption,
  /** Steps of the proposer, and then of the solver, in a round. */
  steps: z.number().int().min(2).default(8),
  /** Documents of the proposer's step, each with one proposal. */
  proposals: z.number().int().min(2).default(64),
  /** Proposals of the solver's step. */
  items: z.number().int().min(1).default(32),
  /** Attempts that say how hard a proposal is, and that the solver learns from. */
  samples: z.number().int().min(2).default(5),
  /** Most searches of either before it writes. */
  searches: z.number().int().min(1).default(3),
  /** Documents that a search finds. */
  found: z.number().int().min(1).default(3),
  learningRate: z.number().positive().default(3e-4),
});
export type DrZeroOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Dr. Zero (arXiv 2601.07055, section 3): a proposer and a solver begin as the same weights; both may search. The proposer is rewarded for
 * problems that few of n attempts solve, and learns by HRPO: one proposal a document, compared with proposals of as many hops; the solver
 * learns them by GRPO:
 *
 *   r_proposer = (n − k)/(n − 1) where 0 < k < n of the attempts are right, else 0, and ½ more for what is a problem
 *   A_i = (r_i − mean_h r) / (std_h r + 1e-6) over the proposals of as many hops h (HRPO);  r_solver(y) = 1[y is right], by GRPO
 *
 * Hops are what the task's difficulty counts: a kind of items each. The paper's ½ is a score of the form, of thinking, searches and answer;
 * here it is whether the task can read the proposal as a problem. Documents are found by the words that they share with a query.
 *
 * Defaults: 8 steps of each at 3e-4, 64 proposals and 32 items a step, 5 attempts, 3 searches that find 3 documents; those of the task.
 *
 * @example
 * drZero({ documents: ["Vienna lies on the Danube.", "The Danube rises in the Black Forest."], searches: 2 })
 */
export function drZero(options: DrZeroOptions = {}): Method {
  const { documents: given, ...read } = readOptions("drZero()", optionsSchema, options);
  const { steps, proposals, items, samples, searches, found, learningRate } = read;
  const search = { searches, found, ...(given === undefined ? {} : { documents: given }) };
  const propose = askDocuments({ samples: 1, ...search });
  const difficulty = learnability({ attempts: samples, form: "rare", valid: 0.5, search });
  const reward = throughout({ of: difficulty });
  const roles = ["solver", "proposer"];
  return {
    name: "Dr. Zero",
    description: { ...read, ...describeDocuments(given) },
    roles,
    alike: true,
    lead: "solver",
    deliver: roles,
    learnsBy: "policy-gradient",
    passes: [
      {
        roles: ["proposer"],
        asks: ["solver"],
        items: proposals,
        generate: propose,
        reward,
        update: policyGradient({ learningRate, byKind: true, sampleDeviation: true, epsilon: 1e-6 }),
        repeat: steps,
        start: "current",
      },
      makingItems("proposer", { generate: propose, reward }, roles),
      {
        roles: ["solver"],
        items,
        ...madeWithin(0, 1),
        generate: withSearch({ samples, ...search }),
        reward: throughout({ of: verifier() }),
        update: policyGradient({ learningRate, sampleDeviation: true, epsilon: 1e-6 }),
        repeat: steps,
        start: "current",
      },
    ],
  };
}

export const drZeroPage: MethodPage = {
  name: "dr-zero",
  title: "Dr. Zero",
  paradigm: "self-play",
  reward: "external",
  summary:
    "A proposer with a search writes problems that few attempts solve, compared with others of as many hops; a solver with a search learns them.",
  formula:
    "r_proposer = (n − k)/(n − 1) for 0 < k < n right of n, else 0, + ½ for a problem;  A = (r − mean_h)/(std_h + 1e-6) within as many hops (HRPO);  solver by GRPO",
  source:
    "arXiv 2601.07055, section 3; github.com/facebookresearch/drzero (verl/trainer/ppo/core_algos.py: grpo_batch; verl/custom_reward/reward_function.py)",
  checked: true,
  differs:
    "½ more for what the task reads as a problem, the paper's for the form of thinking, searches and answer; documents are found by shared words",
  options: optionsSchema,
  make: drZero,
  vary: [
    [
      'drZero({ documents: ["Vienna lies on the Danube."] })',
      "documents of your own, to propose from and to search in: texts, or a file with one a line",
    ],
    ["drZero({ samples: 10 })", "a surer estimate of how hard a proposal is"],
  ],
};
