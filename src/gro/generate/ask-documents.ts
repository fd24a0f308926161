import { z } from "zod";
import { hashOf, randomStream, readOptions } from "../../foundation/base/index.ts";
import {
  ask,
  asked,
  checkTexts,
  describeTexts,
  namedTexts,
  type Question,
  textsOption,
  wordsOf,
} from "../rollout/index.ts";
import { askWords } from "./ask-documents.prompt.ts";
import type { GeneratePart } from "./part.ts";

const optionsSchema = z.strictObject({
  /** Texts to ask about; the task's if left out. */
  documents: textsOption,
  /** Questions beside each item of the round: of its difficulty, each item with a document of its own. */
  samples: z.number().int().min(1).default(2),
  temperature: z.number().positive().default(1),
  /** Most tokens of a question. */
  maxTokens: z.number().int().min(1).default(128),
});
export type AskDocumentsOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Questions about documents, one document beside an item: what is proposed is grounded in a text (SimRAG, arXiv 2410.17952, section 3.3).
 * Which document stands beside which item is drawn, and a question is of an item whose source names it. In the task's words
 * (`prompts.proposeFrom`), else in plain language; what is written is read by the task (`readProblem`). Throws a user error
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
      ...describeTexts(documents),
      words: hashOf(askWords("")).slice(0, 12),
    },
    samplesPerItem: samples,
    check: (task) => checkTexts("askDocuments()", task, documents),
    generate: async (request) => {
      const { items, task, policy, seed } = request;
      const texts = namedTexts(task, documents);
      const questions = items.map((item): Question => {
        const { text, source } = randomStream(seed, `documents/${item.canonical}`).pick(texts);
        const words = wordsOf(
          { task, policy, by: "askDocuments()", what: "proposeFrom" },
          task.prompts?.proposeFrom?.([text], item.difficulty),
          () => asked(askWords(text)),
        );
        return { item: { ...item, source }, name: "ask", words };
      });
      const answers = await ask(questions, { ...request, samples, temperature, maxTokens: () => maxTokens });
      return items.map((item, index) => ({ item, rollouts: answers[index] ?? [] }));
    },
  };
}
