import { z } from "zod";
import { sha256, userError } from "../../foundation/base/index.ts";
import type { Item, Prompting, Task } from "../../foundation/contract/index.ts";
import { type WordsRequest, wordsOf } from "./ask.ts";
import { messagesOf } from "./context.ts";
import { groundWords } from "./ground.prompt.ts";

/** For options of parts that are grounded: texts to ask about; those of the task's items if left out. */
export const documentsOption = z.array(z.string().min(1)).min(1).readonly().optional();

/** What a part's description says of them. */
export function describeDocuments(documents: readonly string[] | undefined): {
  readonly documents?: number;
  readonly sha256?: string;
} {
  return documents === undefined
    ? {}
    : { documents: documents.length, sha256: sha256(JSON.stringify(documents)) };
}

/** The document that belongs to an item: the task's own, or one of those that were given, always the same one. */
export function documentOf(
  task: Pick<Task, "document">,
  item: Item,
  documents: readonly string[] | undefined,
): string {
  if (documents === undefined) return task.document?.(item) ?? "";
  const place = Number.parseInt(sha256(item.canonical).slice(0, 8), 16) % documents.length;
  return documents[place] ?? "";
}

/** The item with a document in view: in the task's words (`prompts.ground`), else in plain language. */
export function grounded(item: Item, document: string, request: Omit<WordsRequest, "what">): Prompting {
  return wordsOf({ ...request, what: "ground" }, request.task.prompts?.ground?.(item, document), () => {
    const asked = messagesOf(item);
    const last = asked.at(-1);
    const content = groundWords(document, last?.content ?? item.prompt);
    return {
      prompt: item.prompt,
      messages: [...asked.slice(0, -1), { role: last?.role ?? "user", content }],
    };
  });
}

/** Refuses, with a user error, a task without documents, where none are given, and one that reads no questions of a model's. */
export function checkDocuments(by: string, task: Task, documents: readonly string[] | undefined): void {
  const { name, prompts } = task;
  if (documents === undefined && task.document === undefined)
    throw userError(
      "no-documents",
      `${by}: the task ${name} has no documents to ask about; give some as "documents".`,
    );
  if (task.readProblem === undefined)
    throw userError(
      "no-proposals",
      `${by}: the task ${name} cannot read a problem that a model wrote: it has no readProblem.`,
    );
  if (prompts !== undefined && (prompts.ask === undefined || prompts.ground === undefined))
    throw userError(
      "no-words",
      `${by}: the task ${name} has words for its roles, and none to ask about a document and to answer with one in view.`,
    );
}
