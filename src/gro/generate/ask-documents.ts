import { z } from "zod";
import { hashOf, readOptions } from "../../foundation/base/index.ts";
import {
  ask,
  asked,
  checkDocuments,
  describeDocuments,
  documentOf,
  documentsOption,
  type Question,
  wordsOf,
} from "../rollout/index.ts";
import { askWords } from "./ask-documents.prompt.ts";
import type { GeneratePart } from "./part.ts";

const optionsSchema = z.strictObject({
  /** Texts to ask about; the documents of the task's items if left out. */
  documents: documentsOption,
  /** Questions about the document of each item. */
  samples: z.number().int().min(1).default(2),
  temperature: z.number().positive().default(1),
  /** Most tokens of a question. */
  maxTokens: z.number().int().min(1).default(128),
});
export type AskDocumentsOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Questions about documents, one document an item: what is proposed is grounded in a text (SimRAG, arXiv 2410.17952, section 3.3). In the
 * task's words (`prompts.ask`), else in plain language; what is written is read by the task (`readProblem`). Throws a user error
 * `no-documents` where the task has none and none are given.
 *
 * @example
 * gro({ generate: askDocuments({ documents: ["12 is 3 times 4."] }), reward: roundTrip({ documents: ["12 is 3 times 4."] }), update: supervised() })
 */
export function askDocuments(options: AskDocumentsOptions = {}): GeneratePart {
  const { documents, ...read } = readOptions("askDocuments()", optionsSchema, options);
  const { samples, temperature, maxTokens } = read;
  return {
    name: "ask documents",
    description: {
      ...read,
      ...describeDocuments(documents),
      words: hashOf(askWords("")).slice(0, 12),
    },
    samplesPerItem: samples,
    check: (task) => checkDocuments("askDocuments()", task, documents),
    generate: async (request) => {
      const { items, task, policy } = request;
      const questions = items.map((item): Question => {
        const document = documentOf(task, item, documents);
        const words = wordsOf(
          { task, policy, by: "askDocuments()", what: "ask" },
          task.prompts?.ask?.(document, item.difficulty),
          () => asked(askWords(document)),
        );
        return { item, name: "ask", words };
      });
      const answers = await ask(questions, { ...request, samples, temperature, maxTokens: () => maxTokens });
      return items.map((item, index) => ({ item, rollouts: answers[index] ?? [] }));
    },
  };
}
