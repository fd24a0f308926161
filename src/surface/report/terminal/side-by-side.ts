import { cleanText, displayWidth, fitText, padEnd } from "./display-width.ts";

/** Something that was said, under the name of who said it. */
export interface Saying {
  readonly name: string;
  readonly text: string;
}

/** Columns narrower than this are not read. */
const leastColumn = 28;
const gap = "   ";

/**
 * Texts beside each other under their names, where the lines are wide enough for it, else one below the other. What a model
 * says is made safe to print; its own line breaks stay.
 */
export function sideBySide(sayings: readonly Saying[], width: number): string[] {
  const room = width - gap.length * (sayings.length - 1);
  const column = Math.floor(room / sayings.length);
  if (sayings.length < 2 || !Number.isFinite(width) || column < leastColumn)
    return sayings.flatMap(({ name, text }) => [
      `${name}:`,
      ...linesOf(text, width - 2).map((line) => `  ${line}`),
    ]);
  const columns = sayings.map(({ name, text }) => [
    fitText(name, column),
    "-".repeat(Math.min(column, displayWidth(name))),
    ...linesOf(text, column),
  ]);
  const height = Math.max(...columns.map(({ length }) => length));
  return Array.from({ length: height }, (_, row) =>
    columns
      .map((lines) => padEnd(lines[row] ?? "", column))
      .join(gap)
      .trimEnd(),
  );
}

function linesOf(text: string, width: number): string[] {
  const lines = text.split(/\r\n|[\r\n]/).map(cleanText);
  if (lines.every((line) => line === "")) return ["(nothing)"];
  return lines.flatMap((line) => (line === "" ? [""] : broken(line, width)));
}

/** At spaces where there are any, else where the line is full. */
function broken(line: string, width: number): string[] {
  const lines: string[] = [];
  let rest = line;
  while (displayWidth(rest) > width) {
    const head = fitText(rest, Math.max(2, width), "");
    if (head === "") break;
    const space = head.lastIndexOf(" ");
    const next = rest[head.length] === " " || space <= 0 ? head : head.slice(0, space);
    lines.push(next.trimEnd());
    rest = rest.slice(next.length).trimStart();
  }
  return [...lines, rest];
}
