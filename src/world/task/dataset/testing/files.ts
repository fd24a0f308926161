import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFile } from "../formats.ts";
import { isWrong, type RawRow, type Read, type WrongRow } from "../row.ts";

/** Writes a file into a folder of its own; its path. */
export function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(mkdtempSync(join(tmpdir(), "whetstone-data-")), name);
  writeFileSync(path, content);
  return path;
}

/** All that a file's reader gives. */
export async function readAll(path: string, wanted: readonly string[] = ["prompt", "answer"]) {
  const rows: Read<RawRow>[] = [];
  for await (const row of openFile(path).rows(wanted)) rows.push(row);
  return rows;
}

/** Of wrong rows their line and reason; of others their columns. */
export function brief(rows: readonly Read<RawRow>[]): unknown[] {
  return rows.map((row) => (isWrong(row) ? [row.line, row.reason] : [row.line, row.columns]));
}

export function wrongOnly(rows: readonly Read<RawRow>[]): WrongRow[] {
  return rows.filter(isWrong);
}

/** So many lines of sums, each with another answer. */
export function sums(count: number): string {
  return Array.from({ length: count }, (_, n) =>
    JSON.stringify({ prompt: `What is ${n} + ${n}?`, answer: String(2 * n) }),
  ).join("\n");
}
