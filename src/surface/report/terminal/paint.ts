import type { Colour, HeatPaint } from "../heat-colours.ts";
import type { ColourDepth } from "./abilities.ts";
import { cleanText, displayWidth, fitText } from "./display-width.ts";
import { type Glyphs, toAscii } from "./glyphs.ts";

/** Named styles use the 16 colours that the person's own theme sets. */
export type Style = "strong" | "faint" | "good" | "bad" | "warn" | "accent" | HeatPaint;

export interface Span {
  readonly text: string;
  readonly style?: Style;
}

/** A line of a terminal, before it is fitted and coloured. */
export type Line = readonly Span[];

export interface Pen {
  readonly glyphs: Glyphs;
  readonly colours: ColourDepth;
}

export function span(text: string, style?: Style): Span {
  return style === undefined ? { text } : { text, style };
}

export function lineWidth(line: Line): number {
  return line.reduce((width, { text }) => width + displayWidth(text), 0);
}

/** Makes every text of a line printable in one row, and cuts it at `width` cells. */
export function fitLine(line: Line, width: number, { glyphs }: Pen): Line {
  const speakable = line.map((part) => ({ ...part, text: printable(part.text, glyphs) }));
  if (lineWidth(speakable) <= width) return speakable;
  const fitted: Span[] = [];
  let left = width;
  for (const part of speakable) {
    const own = displayWidth(part.text);
    if (own < left) {
      fitted.push(part);
      left -= own;
      continue;
    }
    fitted.push({ ...part, text: fitText(part.text + " ".repeat(left), left, glyphs.ellipsis) });
    break;
  }
  return fitted;
}

/** Inner spaces are the writer's; only what could move the cursor goes. */
export function printable(text: string, { unicode }: Glyphs): string {
  const [, head = "", body = "", tail = ""] = /^( *)(.*?)( *)$/su.exec(text) ?? [];
  const clean = head + cleanText(body) + tail;
  return unicode ? clean : toAscii(clean);
}

/** A fitted line as text with colours, which end with it. */
export function paintLine(line: Line, { colours }: Pen): string {
  return line.map(({ text, style }) => paint(text, style, colours)).join("");
}

const codes: Readonly<Record<Extract<Style, string>, number>> = {
  strong: 1,
  faint: 2,
  good: 32,
  bad: 31,
  warn: 33,
  accent: 36,
};

function paint(text: string, style: Style | undefined, colours: ColourDepth): string {
  if (style === undefined || colours === 0 || text === "") return text;
  if (typeof style === "string") return `\x1b[${codes[style]}m${text}\x1b[0m`;
  if (colours === 4) return text;
  const [ground, ink] = [style.fill, style.ink].map((colour) =>
    colours === 24 ? `2;${colour.join(";")}` : `5;${xtermColour(colour)}`,
  );
  return `\x1b[48;${ground};38;${ink}m${text}\x1b[0m`;
}

const cube = [0, 95, 135, 175, 215, 255];

/** The nearest of xterm's 6 x 6 x 6 cube and its greys. */
export function xtermColour(colour: Colour): number {
  const steps = colour.map((part) => nearestIndex(cube, part));
  const [red = 0, green = 0, blue = 0] = steps;
  const greys = Array.from({ length: 24 }, (_, index) => 8 + 10 * index);
  const grey = nearestIndex(greys, (colour[0] + colour[1] + colour[2]) / 3);
  const away = (other: readonly number[]): number =>
    colour.reduce((sum, part, index) => sum + (part - (other[index] ?? 0)) ** 2, 0);
  const level = greys[grey] ?? 0;
  return away(steps.map((step) => cube[step] ?? 0)) <= away([level, level, level])
    ? 16 + 36 * red + 6 * green + blue
    : 232 + grey;
}

function nearestIndex(levels: readonly number[], value: number): number {
  return levels.reduce(
    (best, level, index) => (Math.abs(level - value) < Math.abs((levels[best] ?? 0) - value) ? index : best),
    0,
  );
}
