import { isOrdered } from "./kinds.ts";
import type { RoundStory, RunStory } from "./story.ts";
import { displayWidth, fitText, padEnd, padStart } from "./terminal/display-width.ts";
import type { Glyphs } from "./terminal/glyphs.ts";
import { printable } from "./terminal/paint.ts";
import { frontierWord, outcomeWord, percent, plural, signedPoints } from "./words.ts";

/** More rounds than this are not read in a terminal; the report has them all. */
const mostRounds = 24;

interface Column {
  readonly name: string;
  readonly cell: (round: RoundStory) => string;
  readonly end?: boolean;
}

const columns: readonly Column[] = [
  { name: "round", cell: ({ round }) => String(round), end: true },
  { name: "decision", cell: outcomeWord },
  {
    name: "frontier",
    cell: ({ validation }) => (validation ? frontierWord(validation.frontier90) : ""),
    end: true,
  },
  { name: "accuracy", cell: ({ validation }) => (validation ? percent(validation.mean) : ""), end: true },
  { name: "audit", cell: ({ audit }) => (audit ? signedPoints(audit.gain.mean) : ""), end: true },
  { name: "kept right", cell: ({ training }) => keptRight(training?.keptLabelAccuracy ?? null), end: true },
  { name: "why", cell: ({ decision }) => decision?.reason ?? "" },
];

/** What is read from the items by which the run steers; the result above the table is of audit items. */
const ofValidation = new Set(["frontier", "accuracy"]);

/** What goes first where lines are short, until the reasons have room. */
const dispensable = ["kept right", "accuracy", "audit"];
const roomForReasons = 44;

/** Each round in a line; columns that would be empty are left out, and the reasons are cut where lines have an end. */
export function roundTable({ rounds, facts }: RunStory, width: number, glyphs: Glyphs): string[] {
  const shown = rounds.slice(-mostRounds);
  if (shown.length === 0) return [];
  let filled = columns
    .filter(({ name }) => name !== "frontier" || isOrdered(facts))
    .map(({ name, cell, end = false }) => {
      const cells = [name, ...shown.map((round) => printable(cell(round), glyphs))];
      return { name, end, cells, width: Math.max(...cells.map(displayWidth)) };
    })
    .filter(({ cells }) => cells.slice(1).some((cell) => cell !== ""));
  for (const name of dispensable) {
    const before = filled.slice(0, -1).reduce((sum, column) => sum + column.width + 2, 0);
    if (width - before >= roomForReasons) break;
    filled = filled.filter((column) => column.name !== name);
  }
  const fitted = (line: string): string =>
    Number.isFinite(width) ? fitText(line, width, glyphs.ellipsis) : line;
  const lines = Array.from({ length: shown.length + 1 }, (_, row) => {
    const cells = filled.map((column) => {
      const cell = column.cells[row] ?? "";
      return column.end ? padStart(cell, column.width) : padEnd(cell, column.width);
    });
    const line = cells.join("  ").trimEnd();
    return fitted(line);
  });
  const earlier = rounds.length - shown.length;
  const steering = filled.flatMap(({ name }) => (ofValidation.has(name) ? [name] : []));
  const sources = [
    ...(steering.length === 0 ? [] : [`${steering.join(" and ")} of rounds: on validation items`]),
    ...(filled.some(({ name }) => name === "kept right") ? ["kept right: of labels kept to train on"] : []),
  ];
  return [
    ...lines,
    ...(earlier === 0 ? [] : [`(${plural(earlier, "earlier round")}: see the report)`]),
    ...(sources.length === 0 ? [] : [fitted(`(${sources.join("; ")})`)]),
  ];
}

function keptRight(accuracy: number | null): string {
  return accuracy === null ? "" : percent(accuracy);
}
