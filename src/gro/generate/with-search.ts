import { z } from "zod";
import { hashOf, readOptions } from "../../foundation/base/index.ts";
import {
  attemptWithSearch,
  checkSearch,
  checkWords,
  describeDocuments,
  readingDocuments,
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
 * that they share with the query (BM25 over trigrams of characters). Throws user errors `documents-missing` and `documents-invalid` for a file that cannot be read so.
 *
 * @example
 * gro({
 *   generate: withSearch({ documents: ["Vienna lies on the Danube."], searches: 2 }),
 *   reward: throughout({ of: verifier() }),
 *   update: policyGradient(),
 * })
 */
export function withSearch(options: WithSearchOptions = {}): GeneratePart {
  const { documents, ...read } = readOptions("withSearch()", optionsSchema, options);
  return {
    name: "with search",
    description: { ...read, ...describeDocuments(documents), words: hashOf(searchWords([""])).slice(0, 12) },
    ...readingDocuments(documents),
    samplesPerItem: read.samples * (read.searches + 1),
    check: (task, tokenizer) => {
      checkSearch("withSearch()", task, documents);
      checkWords({ task, by: "withSearch()", what: "search" }, tokenizer);
    },
    generate: (request) => attemptWithSearch({ ...request, ...read, by: "withSearch()", documents }),
  };
}
