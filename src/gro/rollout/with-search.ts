import { z } from "zod";
import { userError } from "../../foundation/base/index.ts";
import type { RolloutGroup, Task } from "../../foundation/contract/index.ts";
import { withSearchWords, wordsOf } from "./ask.ts";
import type { AttemptRequest } from "./attempt.ts";
import { checkLibrary, type Document, documentsOption, libraryOf } from "./documents.ts";
import { answeringLast, type SearchedQuestion, searchTurns } from "./search-turns.ts";

/** What every part that searches can be told. */
export const searchOptions = {
  documents: documentsOption,
  /** Most searches before an answer. */
  searches: z.number().int().min(1).default(4),
  /** Documents that a search finds. */
  found: z.number().int().min(1).default(3),
};

export interface SearchedAttempts
  extends Pick<
    AttemptRequest,
    "policy" | "items" | "samples" | "temperature" | "maxTokens" | "seed" | "signal"
  > {
  readonly task: Task;
  /** Who asks: `withSearch()`. */
  readonly by: string;
  readonly documents: readonly Document[] | undefined;
  readonly searches: number;
  readonly found: number;
}

/** Attempts at each item that may look into documents first; only the last turn of each answers the item. */
export async function attemptWithSearch({
  by,
  documents,
  found,
  items,
  ...request
}: SearchedAttempts): Promise<RolloutGroup[]> {
  const { task, policy } = request;
  const questions = items.map(
    (item): SearchedQuestion => ({
      item,
      name: "search",
      words: (shown) =>
        wordsOf({ task, policy, by, what: "search" }, task.prompts?.search?.(item, shown), () =>
          withSearchWords(item, shown),
        ),
    }),
  );
  const answered = await searchTurns(questions, {
    ...request,
    library: libraryOf(task, items, documents),
    found,
  });
  return items.map((item, index) => ({ item, rollouts: answeringLast(answered[index] ?? [], item) }));
}

/** Refuses a task that cannot be searched at: user errors `no-documents` and `no-words`. */
export function checkSearch(by: string, task: Task, documents: readonly Document[] | undefined): void {
  checkLibrary(by, task, documents);
  if (task.prompts !== undefined && task.prompts.search === undefined)
    throw userError(
      "no-words",
      `${by}: the task ${task.name} has words for its roles, and none for a search.`,
    );
}
