import { canonicalOf } from "./canonical.ts";
import type { OpenedFile } from "./formats.ts";
import { isWrong, mostShown, type Reason, type WrongRow } from "./row.ts";
import { type Columns, type Row, rowOf } from "./shape.ts";

/** A row with the identity of what it asks. */
export interface KnownRow extends Row {
  readonly canonical: string;
}

export interface FileContent {
  /** Those that can be used, each item once, in the file's order. */
  readonly rows: readonly KnownRow[];
  /** How many rows the file has, wrong ones among them. */
  readonly total: number;
  /** The first wrong ones. */
  readonly wrong: readonly WrongRow[];
  readonly counts: ReadonlyMap<Reason, number>;
}

/** Reads a whole file and counts all that is wrong in it. */
export async function readRows(file: OpenedFile, columns: Columns): Promise<FileContent> {
  const rows: KnownRow[] = [];
  const met = new Map<string, KnownRow>();
  const wrong: WrongRow[] = [];
  const counts = new Map<Reason, number>();
  let total = 0;
  for await (const raw of file.rows(Object.values(columns))) {
    const row = isWrong(raw) ? raw : known(rowOf(raw, columns), met);
    const count = isWrong(row) ? (row.rows ?? 1) : 1;
    total += count;
    if (isWrong(row)) {
      counts.set(row.reason, (counts.get(row.reason) ?? 0) + count);
      if (wrong.length < mostShown) wrong.push(row);
    } else {
      rows.push(row);
      met.set(row.canonical, row);
    }
  }
  return { rows, total, wrong, counts };
}

/** Two rows that ask the same are one item: the first stays. */
function known(row: Row | WrongRow, met: ReadonlyMap<string, KnownRow>): KnownRow | WrongRow {
  if (isWrong(row)) return row;
  const canonical = canonicalOf(row);
  const before = met.get(canonical);
  if (before === undefined) return { ...row, canonical };
  const { line } = row;
  return before.answer === row.answer && before.completion === row.completion
    ? { line, reason: "duplicate", detail: `it says what row ${before.line} says` }
    : {
        line,
        reason: "contradiction",
        detail: `row ${before.line} answers ${shown(before.answer)}, and it answers ${shown(row.answer)}`,
      };
}

function shown(text: string): string {
  return JSON.stringify(text.length <= 40 ? text : `${text.slice(0, 40)}…`);
}
