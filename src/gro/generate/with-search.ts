import { z } from "zod";
import { hashOf, readOptions } from "../../foundation/base/index.ts";
import {
  attemptWithSearch,
  checkSearch,
  readDocuments,
  searchOptions,
  searchWords,
} from "../rollout/index.ts";
import type { GeneratePart } from "./part.ts";

const optionsSchema = z.strictObject({
  ...searchOptions,
  /** Attempts at each item. */
  samples: z.number().int().min(1).default(5),
  temperature: z.number().positive().default(1),
});
export type WithSearchOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Attempts that may look into documents first: as long as the model answers with a query, it is asked again with what was found beside.
 * Each turn is a rollout with its `turn`, learnt on what stood before it; only the last answers the item, and `throughout()` rewards the
 * searches before it alike. In the task's words (`prompts.search`, `readQuery`), else in plain language. Documents are found by the words
 * that they share with the query (BM25). Throws user errors `documents-missing` and `documents-invalid` for a file that cannot be read so.
 *
 * @example
 * gro({
 *   generate: withSearch({ documents: ["Vienna lies on the Danube."], searches: 2 }),
 *   reward: throughout({ of: verifier() }),
 *   update: policyGradient(),
 * })
 */
export function withSearch(options: WithSearchOptions = {}): GeneratePart {
  const { documents: given, ...read } = readOptions("withSearch()", optionsSchema, options);
  const documents = readDocuments("withSearch()", given);
  return {
    name: "with search",
    description: { ...read, documents: documents.identity, words: hashOf(searchWords([""])).slice(0, 12) },
    samplesPerItem: read.samples * (read.searches + 1),
    check: (task) => checkSearch("withSearch()", documents, task),
    generate: (request) => attemptWithSearch({ ...request, ...read, by: "withSearch()", documents }),
  };
}
