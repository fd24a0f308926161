/** Why a row cannot be used; each is counted by itself. The sentence stands after the row's place. */
export const reasons = {
  "not-json": "is not JSON",
  "not-csv": "is not CSV",
  "not-an-object": "is not an object with columns",
  "too-long": "is longer than 8 MB",
  "not-unicode": "holds text that is not Unicode",
  "nul-character": "holds a NUL character",
  "wrong-columns": "has another number of columns than the first line",
  "other-schema": "lies in a row group with another schema",
  "lacks-prompt": "has no prompt",
  "lacks-answer": "has no answer",
  "wrong-type": "has a column of the wrong type",
  "empty-prompt": "has an empty prompt",
  "empty-answer": "has an empty answer",
  "answer-unusable": "has an answer that the verifier cannot compare with",
  duplicate: "repeats an earlier row",
  contradiction: "repeats an earlier prompt with another answer",
} as const;
export type Reason = keyof typeof reasons;

/** A row that cannot be used: an expected outcome, so a value. */
export interface WrongRow {
  /** Line of a JSONL or CSV file, row of a JSON or Parquet file; counted from 1. */
  readonly line: number;
  readonly reason: Reason;
  /** What was found, for people. */
  readonly detail?: string;
  /** How many rows from `line` on are wrong in just this way; 1 if left out. */
  readonly rows?: number;
}

/** What a file holds at one place, before anyone has looked at its columns. */
export interface RawRow {
  readonly line: number;
  readonly columns: Readonly<Record<string, unknown>>;
}

export type Read<T> = T | WrongRow;

export function isWrong(row: object): row is WrongRow {
  return "reason" in row;
}

/** A row of more bytes is refused, and never held whole. */
export const mostRowBytes = 8 * 2 ** 20;

/** Wrong rows that are shown with their place; all are counted. */
export const mostShown = 5;
