import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { messageOf, sha256, userError } from "../../foundation/base/index.ts";
import type { Item, Prompting, Task } from "../../foundation/contract/index.ts";
import { type WordsRequest, wordsOf } from "./ask.ts";
import { messagesOf } from "./context.ts";
import { groundWords } from "./ground.prompt.ts";

/**
 * For options of parts that are grounded: texts to ask about, or to search in; those of the task's items if left out. A list, or a
 * `.jsonl` file with one a line, a string or an object with a `text`. Throws user errors `documents-missing` for a file that cannot be
 * read and `documents-invalid` for one without any, or a line without a text.
 */
export const documentsOption = z
  .union([
    z.array(z.string().min(1)).min(1).readonly(),
    z.union([z.string().min(1), z.instanceof(URL)]).transform(textsOfFile),
  ])
  .optional();

function textsOfFile(where: string | URL): readonly string[] {
  const path =
    typeof where === "string" && !where.startsWith("file:") ? resolve(where) : fileURLToPath(where);
  const name = basename(path);
  const texts = linesOf(path).flatMap((line, index): string[] => {
    if (line.trim() === "") return [];
    const text = textIn(line);
    if (text === undefined)
      throw userError(
        "documents-invalid",
        `${name}:${index + 1} holds no document: write one a line, as a JSON string or as {"text": "…"}.`,
        { file: path, line: index + 1 },
      );
    return [text];
  });
  if (texts.length === 0) throw userError("documents-invalid", `${name} holds no documents.`, { file: path });
  return texts;
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch (error) {
    throw userError("documents-missing", `${path} cannot be read: ${messageOf(error)}`, { file: path });
  }
}

const lineSchema = z.union([
  z.string().min(1),
  z.object({ text: z.string().min(1) }).transform(({ text }) => text),
]);

function textIn(line: string): string | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** What an item that was made from a document says of where it comes from. */
export function sourceOf(document: string): string {
  return `document:${sha256(document).slice(0, 12)}`;
}

/** All that can be searched in: what was given, or the documents of these items. */
export function libraryOf(
  task: Pick<Task, "document">,
  items: readonly Item[],
  documents: readonly string[] | undefined,
): readonly string[] {
  return documents ?? [...new Set(items.map((item) => documentOf(task, item, undefined)))];
}

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

/** Refuses, with a user error, a task without documents, where none are given. */
export function checkLibrary(by: string, task: Task, documents: readonly string[] | undefined): void {
  if (documents === undefined && task.document === undefined)
    throw userError(
      "no-documents",
      `${by}: the task ${task.name} has no documents to ask about; give some as "documents".`,
    );
}

/** The same, and one that reads no questions of a model's, or has no words for what is `asked` of it. */
export function checkDocuments(
  by: string,
  task: Task,
  documents: readonly string[] | undefined,
  asked: readonly ("ask" | "ground")[] = ["ask", "ground"],
): void {
  const { name, prompts } = task;
  checkLibrary(by, task, documents);
  if (task.readProblem === undefined)
    throw userError(
      "no-proposals",
      `${by}: the task ${name} cannot read a problem that a model wrote: it has no readProblem.`,
    );
  const words = { ask: "to ask about a document", ground: "to answer with one in view" };
  const missing = prompts === undefined ? [] : asked.filter((role) => prompts[role] === undefined);
  if (missing.length > 0)
    throw userError(
      "no-words",
      `${by}: the task ${name} has words for its roles, and none ${missing.map((role) => words[role]).join(" and ")}.`,
    );
}
