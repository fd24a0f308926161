import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { hashOf, messageOf, userError } from "../../foundation/base/index.ts";
import type { Task } from "../../foundation/contract/index.ts";

/** A text that problems are made from, or that is found by a search, and where it was read. */
export interface SourceText {
  readonly text: string;
  /** Its file and line, or its number in a list. */
  readonly source: string;
}

/** Texts, or a `.jsonl` file with one a line: a string, or an object with a `text`. Those of the task if left out. */
export const documentsOption = z
  .union([z.array(z.string().min(1)).min(1).readonly(), z.string().min(1), z.instanceof(URL)])
  .optional();
export type DocumentsOption = z.output<typeof documentsOption>;

/** Documents that a part was given, or that it takes from its task. */
export interface Documents {
  /** Their hash, 12 hexadecimal digits, or `of the task`: what a part's description says of them. */
  readonly identity: string;
  /** Throws a user error `no-documents` where neither the part nor the task has any. */
  of(task: Task): readonly SourceText[];
}

/**
 * Reads what a part was given. Throws user errors `documents-missing` for a file that cannot be read and `documents-invalid` for a line
 * without a text, with its number, or a file without any.
 */
export function readDocuments(by: string, given: DocumentsOption): Documents {
  const read =
    given === undefined
      ? undefined
      : typeof given === "object" && !(given instanceof URL)
        ? numbered(given)
        : fromFile(by, given);
  return {
    identity: read === undefined ? "of the task" : hashOf(read.map(({ text }) => text)).slice(0, 12),
    of: (task) => {
      if (read !== undefined) return read;
      if (task.documents === undefined || task.documents.length === 0)
        throw userError(
          "no-documents",
          `${by}: there are no documents: the task ${task.name} has none, so give it some, such as documents: "notes.jsonl".`,
        );
      return numbered(task.documents);
    },
  };
}

function numbered(texts: readonly string[]): SourceText[] {
  return texts.map((text, index) => ({ text, source: `document ${index + 1}` }));
}

function fromFile(by: string, where: string | URL): SourceText[] {
  const path =
    typeof where === "string" && !where.startsWith("file:") ? resolve(where) : fileURLToPath(where);
  const name = basename(path);
  const lines = linesOf(by, path);
  const read = lines.flatMap((line, index): SourceText[] => {
    if (line.trim() === "") return [];
    const source = `${name}:${index + 1}`;
    const text = textIn(line);
    if (text === undefined)
      throw userError(
        "documents-invalid",
        `${by}: ${source} holds no document: write one a line, as a JSON string or as {"text": "…"}.`,
        { file: path, line: index + 1 },
      );
    return [{ text, source }];
  });
  if (read.length === 0)
    throw userError("documents-invalid", `${by}: ${name} holds no documents.`, { file: path });
  return read;
}

function linesOf(by: string, path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch (error) {
    throw userError("documents-missing", `${by}: ${path} cannot be read: ${messageOf(error)}`, {
      file: path,
    });
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
