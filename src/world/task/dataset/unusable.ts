import type { Verifier } from "../../../foundation/contract/index.ts";
import type { FileContent, KnownRow } from "./read-rows.ts";
import { mostShown, type WrongRow } from "./row.ts";

/** Counts the rows whose reference answer the verifier cannot compare with among the wrong ones. */
export function withoutUnusable(content: FileContent, verifier: Verifier): FileContent {
  if (verifier.faultOf === undefined) return content;
  const rows: KnownRow[] = [];
  const unusable: WrongRow[] = [];
  for (const row of content.rows) {
    const detail = verifier.faultOf({ prompt: row.prompt, answer: row.answer });
    if (detail === undefined) rows.push(row);
    else unusable.push({ line: row.line, reason: "answer-unusable", detail });
  }
  if (unusable.length === 0) return content;
  const wrong = [...content.wrong, ...unusable].sort((one, other) => one.line - other.line);
  return {
    rows,
    total: content.total,
    wrong: wrong.slice(0, mostShown),
    counts: new Map([...content.counts, ["answer-unusable", unusable.length]]),
  };
}
