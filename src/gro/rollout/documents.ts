import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { messageOf, sha256, userError } from "../../foundation/base/index.ts";
import {
  documentSource,
  type Item,
  type Prompting,
  readSource,
  type Task,
} from "../../foundation/contract/index.ts";
import { type WordsRequest, wordsOf } from "./ask.ts";
import { messagesOf } from "./context.ts";
import { groundWords } from "./ground.prompt.ts";

/** A text to ask about or to search in. */
export interface Document {
  readonly text: string;
  /** What it stands in, as items name it: a file and line, or the item that it belongs to; empty for a text that was given as such. */
  readonly where: string;
}

/**
 * For options of parts that are grounded: texts to ask about, or to search in; those of the task's items if left out. A list, or a
 * `.jsonl` file with one a line, a string or an object with a `text`. Throws user errors `documents-missing` for a file that cannot be
 * read and `documents-invalid` for one without any, or a line without a text.
 */
export const documentsOption = z
  .union([
    z
      .array(
        z.union([
          z
            .string()
            .min(1)
            .transform((text): Document => ({ text, where: "" })),
          z.strictObject({ text: z.string().min(1), where: z.string() }),
        ]),
      )
      .min(1)
      .readonly(),
    z.union([z.string().min(1), z.instanceof(URL)]).transform(documentsOfFile),
  ])
  .optional();

function documentsOfFile(where: string | URL): readonly Document[] {
  const path =
    typeof where === "string" && !where.startsWith("file:") ? resolve(where) : fileURLToPath(where);
  const name = basename(path);
  const documents = linesOf(path).flatMap((line, index): Document[] => {
    if (line.trim() === "") return [];
    const text = textIn(line);
    if (text === undefined)
      throw userError(
        "documents-invalid",
        `${name}:${index + 1} holds no document: write one a line, as a JSON string or as {"text": "…"}.`,
        { file: path, line: index + 1 },
      );
    return [{ text, where: `${name}:${index + 1}` }];
  });
  if (documents.length === 0)
    throw userError("documents-invalid", `${name} holds no documents.`, { file: path });
  return documents;
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

/** What an item that was made from a document says of where it comes from: the whole text was shown. */
export function sourceOf({ text, where }: Document): string {
  return documentSource({ sha256: sha256(text), from: 0, to: text.length, where });
}

/** All that can be searched in, each text once: what was given, or the documents of these items. */
export function libraryOf(
  task: Pick<Task, "document">,
  items: readonly Item[],
  documents: readonly Document[] | undefined,
): readonly Document[] {
  const all = documents ?? items.map((item) => documentOf(task, item, undefined));
  // Of a text that stands in two places the first is named.
  const first = new Map<string, Document>();
  for (const one of all) if (!first.has(one.text)) first.set(one.text, one);
  return [...first.values()];
}

/** For parts that read documents: what they read at some items. */
export function readingDocuments(documents: readonly Document[] | undefined): {
  readonly documents: (task: Task, items: readonly Item[]) => readonly string[];
} {
  return { documents: (task, items) => libraryOf(task, items, documents).map(({ text }) => text) };
}

/** What a part's description says of them. */
export function describeDocuments(documents: readonly Document[] | undefined): {
  readonly documents?: number;
  readonly sha256?: string;
} {
  return documents === undefined
    ? {}
    : { documents: documents.length, sha256: sha256(JSON.stringify(documents.map(({ text }) => text))) };
}

/** The document that belongs to an item: the task's own, or one of those that were given, always the same one. */
export function documentOf(
  task: Pick<Task, "document">,
  item: Item,
  documents: readonly Document[] | undefined,
): Document {
  // Of an item that a model made, the model is the source, and the document not the first.
  const where = readSource(item.source).kind === "model" ? "" : item.source;
  if (documents === undefined) return { text: task.document?.(item) ?? "", where };
  const place = Number.parseInt(sha256(item.canonical).slice(0, 8), 16) % documents.length;
  return documents[place] as Document;
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
export function checkLibrary(by: string, task: Task, documents: readonly Document[] | undefined): void {
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
  documents: readonly Document[] | undefined,
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
