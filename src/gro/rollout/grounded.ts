import { z } from "zod";
import { sha256, userError } from "../../foundation/base/index.ts";
import type { Item, Prompting, Task } from "../../foundation/contract/index.ts";
import { type WordsRequest, wordsOf } from "./ask.ts";
import { messagesOf } from "./context.ts";
import { groundWords } from "./ground.prompt.ts";

/** For options of parts that are grounded: texts to ask about; those of the task if left out. */
export const textsOption = z.array(z.string().min(1)).min(1).readonly().optional();

/** What a part's description says of them. */
export function describeTexts(texts: readonly string[] | undefined): {
  readonly documents?: number;
  readonly sha256?: string;
} {
  return texts === undefined ? {} : { documents: texts.length, sha256: sha256(JSON.stringify(texts)) };
}

/** A text to ask about, and how it is called in what is made of it. */
export interface NamedText {
  readonly text: string;
  readonly source: string;
}

/** Those that were given, or the task's, each with its number. */
export function namedTexts({ documents = [] }: Task, given: readonly string[] | undefined): NamedText[] {
  return (given ?? documents).map((text, index) => ({ text, source: `document ${index + 1}` }));
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
export function checkTexts(by: string, task: Task, given: readonly string[] | undefined): void {
  const { name, prompts } = task;
  if (namedTexts(task, given).length === 0)
    throw userError(
      "no-documents",
      `${by}: there are no documents: the task ${name} has none, so give some as "documents".`,
    );
  if (task.readProblem === undefined)
    throw userError(
      "no-proposals",
      `${by}: the task ${name} cannot read a problem that a model wrote: it has no readProblem.`,
    );
  if (prompts !== undefined && (prompts.proposeFrom === undefined || prompts.ground === undefined))
    throw userError(
      "no-words",
      `${by}: the task ${name} has words for its roles, and none to ask about a document and to answer with one in view.`,
    );
}
