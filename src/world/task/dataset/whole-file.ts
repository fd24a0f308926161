import { userError } from "../../../foundation/base/index.ts";
import type { Split } from "../../../foundation/contract/index.ts";
import type { KnownRow } from "./read-rows.ts";
import { fewestLines } from "./showable.ts";

interface Named {
  readonly name: string;
  readonly path: string;
}

/** Throws `dataset-empty` for a file without a row. */
export function checkRows({ name, path }: Named, rows: readonly KnownRow[]): void {
  if (rows.length > 0) return;
  throw userError("dataset-empty", `${name} has no rows: write one a line, with a prompt and an answer.`, {
    file: path,
  });
}

/** Throws `dataset-one-answer`: any model that says it is right. */
export function checkAnswers({ name, path }: Named, rows: readonly KnownRow[]): void {
  const [first] = rows;
  if (first === undefined || rows.length === 1) return;
  if (rows.some(({ answer }) => answer.trim() !== first.answer.trim())) return;
  const answer = JSON.stringify(first.answer.slice(0, 60));
  throw userError(
    "dataset-one-answer",
    `All ${rows.length.toLocaleString("en-US")} answers of ${name} are ${answer}: a model that always says so is right, and learns nothing else. Add rows with other answers, or allow it with oneAnswer: true.`,
    { file: path, rows: rows.length },
  );
}

/** Throws `dataset-too-small` where a split is left without a row. */
export function checkSplits({ name, path }: Named, splits: Readonly<Record<Split, number>>): void {
  const { train, validation, decision, audit } = splits;
  if (Math.min(train, validation, decision, audit) > 0) return;
  const rows = train + validation + decision + audit;
  throw userError(
    "dataset-too-small",
    `${name} has ${rows} ${rows === 1 ? "row" : "rows"}: ${train} to train on, ${validation} to steer by, ${decision} to decide by, ${audit} to audit, and each needs one at least. No gain can be shown with so few; about ${fewestLines()} rows can show a large one, 500 one of about 16 points.`,
    { file: path, ...splits },
  );
}
