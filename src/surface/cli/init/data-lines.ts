import { points } from "../../../foundation/statistics/index.ts";
import { fewestLines } from "../../../world/task/index.ts";
import type { DataAnswers } from "./data-answers.ts";
import { methodOf } from "./data-config.ts";

/** What was found in a file, what is made of it, and what it can show. */
export function dataLines(answers: DataAnswers): string[] {
  const { data } = answers;
  const { task, rows, skipped, splits, choice } = data;
  const left = skipped === 0 ? "" : `; ${whole(skipped)} wrong ones are left out`;
  const kinds = task.strata.map(({ name, distinct }) => `${name} ${whole(distinct)}`);
  return [
    `Rows      ${whole(rows)}: ${whole(splits.train)} to train on, ${whole(splits.validation)} to steer by, ${whole(splits.decision)} to decide by, ${whole(splits.audit)} to audit${left}`,
    ...(kinds.length < 2 ? [] : [`Kinds     ${listed(kinds)}`]),
    ...(choice === null ? [] : [`Verifier  ${choice.verifier}: ${choice.reason}`]),
    `Method    ${methodOf(answers)}`,
    ...gainLines(answers),
  ];
}

/** The same for programs. */
export function dataRecord({ data, model, rounds }: DataAnswers): Readonly<Record<string, unknown>> {
  const { task, rows, skipped, splits, choice, gains, path } = data;
  const kinds = Object.fromEntries(task.strata.map(({ name, distinct }) => [name, distinct]));
  return {
    data: { path, name: task.name, rows, skipped, splits, kinds, ...choice, smallestGain: gains },
    model,
    rounds,
  };
}

function gainLines({ data: { gains, gated, splits } }: DataAnswers): string[] {
  const { first, fourth } = gains;
  if (first === null)
    return [
      `Gain      none can be shown with ${whole(splits.decision)} rows to decide by: that takes about ${whole(fewestLines())} rows in all, and 500 for 16 points.`,
      ...(gated ? [] : ["          The run will train and measure, and promote nothing."]),
    ];
  const later = fourth === null ? "none" : points(fourth);
  return [
    `Gain      ${points(first)} is the smallest that can be shown at the first opening of the gate, ${later} at the fourth`,
    "          (with a chance of 80 %, where the two models differ on a quarter of the rows)",
  ];
}

function whole(value: number): string {
  return value.toLocaleString("en-US");
}

const mostListed = 8;

function listed(kinds: readonly string[]): string {
  const more = kinds.length - mostListed;
  return kinds.slice(0, mostListed).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
