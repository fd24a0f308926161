import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, WhetstoneError } from "../../foundation/base/index.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** A text file, or undefined where there is none. Throws `file-unreadable`. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new WhetstoneError({
      code: "file-unreadable",
      category: "environment",
      message: `Cannot read ${path}: ${messageOf(error)}.`,
      cause: error,
    });
  }
}

/** An object of a model's folder, or undefined where the file does not exist. Throws `tokenizer-invalid`. */
export async function readFolderJson(folder: string, name: string): Promise<JsonObject | undefined> {
  const path = join(folder, name);
  const text = await readText(path);
  return text === undefined ? undefined : parseObject(path, text);
}

export function parseObject(path: string, text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(path, `is not JSON (${messageOf(error)})`, error);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid(path, "does not hold an object");
  return value as JsonObject;
}

export function invalid(path: string, reason: string, cause?: unknown): WhetstoneError {
  return new WhetstoneError({
    code: "tokenizer-invalid",
    category: "user",
    message: `${path} ${reason}; download it again, or mend it.`,
    details: { path },
    cause,
  });
}
