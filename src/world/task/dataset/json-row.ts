import { messageOf } from "../../../foundation/base/index.ts";
import { textOf } from "./bytes.ts";
import type { RawRow, Read } from "./row.ts";

/** The row that a stretch of JSON holds; null is one that was too long to be held. */
export function jsonRow(bytes: Buffer | null, line: number): Read<RawRow> {
  if (bytes === null) return { line, reason: "too-long" };
  if (bytes.includes(0)) return { line, reason: "nul-character" };
  const text = textOf(bytes);
  if (text === undefined) return { line, reason: "not-unicode", detail: "its bytes are not UTF-8" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { line, reason: "not-json", detail: messageOf(error) };
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return { line, columns: value as Record<string, unknown> };
  return { line, reason: "not-an-object", detail: `it is ${kindOf(value)}` };
}

/** What a JSON value is, in a word with its article. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
