import { z } from "zod";
import { hashOf, randomStream, readOptions, userError } from "../../foundation/base/index.ts";
import type { Rollout } from "../../foundation/contract/index.ts";
import {
  asked,
  documentsOption,
  readDocuments,
  type SearchedQuestion,
  searchIn,
  searchTurns,
  withSearchWords,
  wordsOf,
} from "../rollout/index.ts";
import type { GeneratePart } from "./part.ts";
import { proposeFromWords } from "./propose-from.prompt.ts";

const optionsSchema = z.strictObject({
  documents: documentsOption,
  /** Proposals at each item of the round: of its difficulty, each item with a document of its own. */
  samples: z.number().int().min(1).default(4),
  temperature: z.number().positive().default(1),
  /** Most tokens of a proposal, or of a search. */
  maxTokens: z.number().int().min(1).default(128),
  /** Most searches for further documents before a proposal; the document alone if 0. */
  searches: z.number().int().min(0).default(0),
  /** Documents that a search finds. */
  found: z.number().int().min(1).default(3),
});
export type ProposeFromOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * A proposer writes problems from documents that the solver does not see (SPICE, arXiv 2510.24684, section 3): what it makes holds more
 * than the weights know. Which document stands beside which item is drawn; with `searches` it may look for more of them before it writes
 * (Dr. Zero, arXiv 2601.07055), and each search is a turn of its own. In the task's words (`prompts.proposeFrom`), else in plain
 * language; what it writes is read by the task (`readProblem`). Throws user errors `documents-missing` and `documents-invalid` for a file
 * that cannot be read so.
 *
 * @example
 * gro({
 *   generate: proposeFrom({ documents: ["Vienna lies on the Danube.", "The Danube rises in the Black Forest."] }),
 *   reward: learnability({ form: "variance", invalid: -0.1 }),
 *   update: policyGradient(),
 * })
 */
export function proposeFrom(options: ProposeFromOptions = {}): GeneratePart {
  const { documents: given, ...read } = readOptions("proposeFrom()", optionsSchema, options);
  const documents = readDocuments("proposeFrom()", given);
  const { samples, temperature, maxTokens, searches, found } = read;
  return {
    name: "propose from documents",
    description: {
      ...read,
      documents: documents.identity,
      words: hashOf(proposeFromWords([""], "")).slice(0, 12),
    },
    samplesPerItem: samples * (searches + 1),
    check: (task) => {
      documents.of(task);
      if (task.readProblem === undefined)
        throw userError(
          "no-proposals",
          `proposeFrom(): the task ${task.name} cannot read a problem that a model wrote: it has no readProblem.`,
        );
    },
    generate: async (request) => {
      const { items, task, policy, seed } = request;
      const texts = documents.of(task);
      const questions = items.map((item): SearchedQuestion => {
        const document = randomStream(seed, `documents/${item.canonical}`).pick(texts);
        return {
          // What is made of it comes from there.
          item: { ...item, source: document.source },
          name: "propose from",
          given: [document.text],
          words: (shown) =>
            wordsOf(
              { task, policy, by: "proposeFrom()", what: "proposeFrom" },
              task.prompts?.proposeFrom?.(shown, item.difficulty),
              () => {
                const words = asked(proposeFromWords(shown, item.prompt));
                return searches === 0 ? words : withSearchWords(words, []);
              },
            ),
        };
      });
      const proposed = await searchTurns(questions, {
        ...request,
        samples,
        temperature,
        maxTokens: () => maxTokens,
        searches,
        find: searchIn(texts, found),
      });
      return items.map((item, index) => ({ item, rollouts: proposed[index] as readonly Rollout[] }));
    },
  };
}
