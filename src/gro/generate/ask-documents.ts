import { z } from "zod";
import { hashOf, readOptions } from "../../foundation/base/index.ts";
import {
  asked,
  checkDocuments,
  checkWords,
  describeDocuments,
  documentOf,
  documentsOption,
  libraryOf,
  readingDocuments,
  type SearchedQuestion,
  searchTurns,
  sourceOf,
  withSearchWords,
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
  /** Most tokens of a question, or of a search. */
  maxTokens: z.number().int().min(1).default(128),
  /** Most searches for further documents before a question; its own document alone if 0. */
  searches: z.number().int().min(0).default(0),
  /** Documents that a search finds. */
  found: z.number().int().min(1).default(3),
});
export type AskDocumentsOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Questions about documents, one document an item: what is proposed is grounded in a text, which whoever answers need not see (SimRAG,
 * arXiv 2410.17952, section 3.3; SPICE, arXiv 2510.24684, section 3). With `searches` the model may look for more of them before it asks
 * (Dr. Zero, arXiv 2601.07055), each search a turn of its own; `throughout()` rewards them as the question. In the task's words
 * (`prompts.ask`), else in plain language; what is written is read by the task (`readProblem`). Throws a user error `no-documents` where the
 * task has none and none are given, and those of a file that cannot be read.
 *
 * @example
 * gro({ generate: askDocuments({ documents: ["12 is 3 times 4."] }), reward: roundTrip({ documents: ["12 is 3 times 4."] }), update: supervised() })
 */
export function askDocuments(options: AskDocumentsOptions = {}): GeneratePart {
  const { documents, searches, found, ...read } = readOptions("askDocuments()", optionsSchema, options);
  const { samples, temperature, maxTokens } = read;
  return {
    name: "ask documents",
    description: {
      ...read,
      ...(searches === 0 ? {} : { searches, found }),
      ...describeDocuments(documents),
      words: hashOf(askWords("")).slice(0, 12),
    },
    ...readingDocuments(documents),
    samplesPerItem: samples * (searches + 1),
    check: (task, tokenizer) => {
      checkDocuments("askDocuments()", task, documents, ["ask"]);
      checkWords({ task, by: "askDocuments()", what: "ask" }, tokenizer);
    },
    generate: async (request) => {
      const { items, task, policy } = request;
      const questions = items.map((item): SearchedQuestion => {
        const document = documentOf(task, item, documents);
        return {
          // What is made of it comes from there.
          item: { ...item, source: sourceOf(document) },
          name: "ask",
          given: [document.text],
          words: (shown) => {
            const text = shown.join("\n\n");
            return wordsOf(
              { task, policy, by: "askDocuments()", what: "ask" },
              task.prompts?.ask?.(text, item.difficulty),
              () => (searches === 0 ? asked(askWords(text)) : withSearchWords(asked(askWords(text)), [])),
            );
          },
        };
      });
      const answers = await searchTurns(questions, {
        ...request,
        samples,
        temperature,
        maxTokens: () => maxTokens,
        searches,
        library: libraryOf(task, items, documents),
        found,
      });
      return items.map((item, index) => ({ item, rollouts: answers[index] ?? [] }));
    },
  };
}
