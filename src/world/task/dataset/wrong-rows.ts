import { userError, type WhetstoneError } from "../../../foundation/base/index.ts";
import type { OpenedFile } from "./formats.ts";
import type { FileContent } from "./read-rows.ts";
import { reasons, type WrongRow } from "./row.ts";

/** One error for all wrong rows of a file: the first of them by place, and how many there are of each sort. */
export function wrongRows(file: OpenedFile, { total, wrong, counts }: FileContent): WhetstoneError {
  const all = sum(counts.values());
  const places = wrong.map((row) => `  ${placeOf(file, row)} ${sentence(row)}`);
  const more = all - sum(wrong.map(({ rows = 1 }) => rows));
  const sorts = [...counts].map(
    ([reason, count]) => `  ${count.toLocaleString("en-US")} × ${reasons[reason]}`,
  );
  const message = [
    total === 1
      ? `The only row of ${file.name} is wrong:`
      : `${all.toLocaleString("en-US")} of the ${total.toLocaleString("en-US")} rows of ${file.name} ${all === 1 ? "is" : "are"} wrong:`,
    ...places,
    ...(more > 0 ? [`  and ${more.toLocaleString("en-US")} more. In all:`, ...sorts] : []),
    advice(total, counts),
  ];
  return userError("dataset-invalid", message.join("\n"), {
    file: file.path,
    rows: total,
    wrong: all,
    ...Object.fromEntries(counts),
  });
}

/** What to do; where every row lacks what all must have, its columns are called otherwise. */
function advice(total: number, counts: FileContent["counts"]): string {
  const lacking = (counts.get("lacks-prompt") ?? 0) + (counts.get("lacks-answer") ?? 0);
  return lacking === total
    ? 'If its columns are called otherwise, name them: columns: { prompt: "…", answer: "…" } in dataset(), --prompt-column and --answer-column of `whetstone init`.'
    : "Mend them, or go on without them: skipInvalid: true in dataset(), --skip of `whetstone init`.";
}

function placeOf({ name }: OpenedFile, { line, rows = 1 }: WrongRow): string {
  return rows === 1 ? `${name}:${line}` : `${name}:${line}–${line + rows - 1}`;
}

function sentence({ reason, detail, rows = 1 }: WrongRow): string {
  const what =
    rows === 1 ? reasons[reason] : `(${rows.toLocaleString("en-US")} rows): each ${reasons[reason]}`;
  return detail === undefined ? what : `${what}: ${detail}`;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
