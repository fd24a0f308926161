import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { askDocuments, samples } from "../../../../gro/generate/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { labelled, roundTrip } from "../../../../gro/reward/index.ts";
import { documentsOption } from "../../../../gro/rollout/index.ts";
import { supervised } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { madeWithin, makingItems } from "../self-play/made-items.ts";

const optionsSchema = z.strictObject({
  /** Texts to ask about; the documents of the task's items if left out. */
  documents: documentsOption,
  /** Questions about the document of each item. */
  questions: z.number().int().min(1).default(2),
  /** Answers with the document in view that must agree, their least share, and among how many documents the question must find its own. */
  attempts: z.number().int().min(2).default(4),
  agreement: z.number().min(0).max(1).default(0.75),
  nearest: z.number().int().min(1).default(10),
  /** Answers to each question that is kept, of which those with the agreed answer are learnt. */
  samples: z.number().int().min(1).default(2),
  steps: z.number().int().min(1).default(60),
  learningRate: z.number().positive().default(5e-4),
});
export type SimRagOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * SimRAG (arXiv 2410.17952, section 3): the model asks questions about documents that nobody asked about, keeps those that lead back to
 * their document and that it answers alike with the document in view, and is fine-tuned to answer them so:
 *
 *   q ~ π(·|d);  a = mode of π(·|q, d);  kept where d is among the k nearest documents to q and the share of a is at least τ
 *   θ ← argmax_θ Σ over kept (d, q) and y ~ π(·|q, d) with answer(y) = a of log π_θ(y|q, d)
 *
 * The paper's first stage, instruction tuning, is `prepare`; its questions begin with a span that is to be the answer, here the answer
 * is what the model agrees with itself on. Nothing outside the model but the documents says what is right.
 *
 * Defaults: 2 questions a document, 4 answers of which ¾ must agree, 10 nearest, 60 steps at 5e-4.
 *
 * @example
 * simRag({ documents: ["12 is 3 times 4.", "15 is 3 times 5."] })
 */
export function simRag(options: SimRagOptions = {}): Method {
  const read = readOptions("simRag()", optionsSchema, options);
  const { questions, attempts, agreement, nearest, steps, learningRate } = read;
  const from = read.documents === undefined ? {} : { documents: read.documents };
  const asking = makingItems("solver", {
    generate: askDocuments({ ...from, samples: questions }),
    reward: roundTrip({ ...from, attempts, agreement, nearest }),
  });
  const { documents: _, ...described } = read;
  return {
    name: "SimRAG",
    description: { ...described, reward: asking.reward.description },
    roles: ["solver"],
    lead: "solver",
    deliver: ["solver"],
    learnsBy: "imitation",
    passes: [
      asking,
      {
        roles: ["solver"],
        ...madeWithin(
          0,
          1,
          "no question led back to its document and was answered alike with the document in view",
        ),
        generate: samples({ samples: read.samples }),
        reward: labelled(),
        update: supervised({ steps, learningRate }),
        repeat: 1,
        start: "current",
      },
    ],
  };
}

export const simRagPage: MethodPage = {
  name: "simrag",
  title: "SimRAG",
  paradigm: "rejection sampling",
  reward: "self-derived",
  summary:
    "The model asks about documents, keeps questions that lead back to them, and learns to answer with the document in view.",
  formula:
    "q ~ π(·|d), a = mode of π(·|q, d), kept where d is among the k nearest to q and a has share τ;  max Σ log π_θ(y|q, d), answer(y) = a",
  source: "arXiv 2410.17952, section 3",
  checked: false,
  differs:
    "equal responses to a question are learnt once; instruction tuning, the paper's first stage, is left to `prepare`; questions are not made to begin with the answer's span",
  options: optionsSchema,
  make: simRag,
  vary: [
    ["simRag({ agreement: 0, nearest: 100000 })", "the control: no filter, whatever is asked is learnt"],
    ["simRag({ questions: 4 })", "more questions of each document"],
  ],
};
