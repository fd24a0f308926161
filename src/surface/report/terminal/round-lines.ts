import type { GuardFinding, Measurement } from "../../../foundation/contract/index.ts";
import { isOrdered } from "../kinds.ts";
import type { RoundStory, RunStory } from "../story.ts";
import { championBefore } from "../story-parts.ts";
import { duration, frontierWord, outcomeOf, outcomeWord, percent, signedPoints, unbroken } from "../words.ts";
import { displayWidth, wrapText } from "./display-width.ts";
import { type Line, lineWidth, type Pen, printable, type Style, span } from "./paint.ts";

export interface SayingOptions {
  readonly pen: Pen;
  /** Infinity where lines are not cut. */
  readonly width: number;
  /** `stages` says every stage that ends and each decision; `rounds` one word a round, for beside the picture. */
  readonly detail: "rounds" | "stages";
}

/** Lines that a text below its round takes at most. */
const most = 3;

/** What is beside a round's name starts here, on terminals that are wide enough. */
export const column = 9;

/** The round in one line, and why it was decided so below it. */
export function roundLines(round: RoundStory, story: RunStory, options: SayingOptions): Line[] {
  const { pen, width, detail } = options;
  const numbers = roundNumbers(round, story, pen);
  if (detail === "stages") return [[span(`${roundName(round.round)}  finished: ${numbers}`)]];
  const head: Line = [
    span(roundName(round.round).padEnd(column), "strong"),
    span(`${pen.glyphs.outcome[outcomeOf(round)]} ${outcomeWord(round)}`.padEnd(11), styleOf(round)),
  ];
  const narrow = lineWidth(head) + 1 + displayWidth(numbers) > width;
  return [
    narrow ? head : [...head, span(` ${numbers}`)],
    ...(narrow ? inset(numbers, undefined, options) : []),
    ...inset(round.decision?.reason ?? "", "faint", options),
  ];
}

function roundNumbers(round: RoundStory, story: RunStory, { glyphs }: Pen): string {
  const { validation, audit, seconds } = round;
  const from = startOf(round, story)?.validation;
  const parts: string[] = [];
  const change = (write: (measurement: Measurement) => string, now: Measurement): string =>
    from == null ? write(now) : `${write(from)} ${glyphs.arrow} ${write(now)}`;
  const accuracy = ({ mean }: Measurement): string => percent(mean);
  if (validation !== null && isOrdered(story.facts))
    parts.push(
      `frontier ${change(({ frontier90 }) => frontierWord(frontier90), validation)}`,
      `accuracy ${accuracy(validation)}`,
    );
  else if (validation !== null) parts.push(`accuracy ${change(accuracy, validation)}`);
  if (audit !== null) parts.push(`audit ${signedPoints(audit.gain.mean)}`);
  if (seconds !== null) parts.push(duration(seconds));
  return parts.join(` ${glyphs.dot} `);
}

/** The round whose weights this one went on from. */
function startOf({ round, startFrom }: RoundStory, story: RunStory): RoundStory | null {
  const { rounds, preparation } = story;
  if (startFrom === "base") return preparation;
  const before = rounds.filter((other) => other.round < round);
  const champion = championBefore(story, round);
  const start = startFrom === "champion" ? before.find((other) => other.round === champion) : before.at(-1);
  return start ?? preparation;
}

export function guardLines(round: number, finding: GuardFinding, options: SayingOptions): Line[] {
  const { guard, answer, evidence } = finding;
  if (answer === "ok") return [];
  const text = `${options.pen.glyphs.warning} ${guard}: ${answer}: ${evidence}`;
  const style = answer === "warn" ? "warn" : "bad";
  return options.detail === "stages"
    ? [[span(`${roundName(round)}  ${text}`, style)]]
    : inset(text, style, options);
}

/** A text below its round's name, broken at words. */
function inset(text: string, style: Style | undefined, { pen, width }: SayingOptions): Line[] {
  const indent = width < 60 ? 2 : column;
  const clean = printable(text, pen.glyphs);
  return wrapText(unbroken(clean), width - indent, most, pen.glyphs.ellipsis).map((part) => [
    span(" ".repeat(indent)),
    span(part, style),
  ]);
}

export function styleOf(round: RoundStory): Style | undefined {
  const outcome = outcomeOf(round);
  if (outcome === "promoted") return "good";
  return outcome === "rolled-back" ? "bad" : outcome === "asked" ? "warn" : undefined;
}

export function roundName(round: number): string {
  return `round ${round}`;
}
