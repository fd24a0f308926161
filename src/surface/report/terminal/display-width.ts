import { stripVTControlCharacters } from "node:util";

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** East Asian wide and fullwidth blocks (Unicode Annex 11), and the blocks of pictures that terminals draw two cells wide. */
const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x1fa70, 0x1faff],
  [0x20000, 0x3fffd],
];

const picture = /\p{Emoji_Presentation}|\ufe0f/u;
const invisible = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]+$/u;

function widthOf(grapheme: string): number {
  const code = grapheme.codePointAt(0) ?? 0;
  if (code < 0x7f) return 1;
  if (invisible.test(grapheme)) return 0;
  return picture.test(grapheme) || wide.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** Terminal cells that a text takes; it has no control characters (see {@link cleanText}). */
export function displayWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += widthOf(segment);
  return width;
}

/** The longest beginning of a text that fits; a cut one ends in `ellipsis`. */
export function fitText(text: string, width: number, ellipsis = "…"): string {
  if (width <= 0) return "";
  if (displayWidth(text) <= width) return text;
  const room = width - displayWidth(ellipsis);
  if (room <= 0) return ellipsis.slice(0, width);
  let used = 0;
  let kept = "";
  for (const { segment } of graphemes.segment(text)) {
    used += widthOf(segment);
    if (used > room) break;
    kept += segment;
  }
  return kept + ellipsis;
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - displayWidth(text)));
}

export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - displayWidth(text))) + text;
}

/**
 * Text from anywhere, made safe to print on one line: escape sequences, control characters and characters that turn the
 * direction of writing are taken out, so that a task's text cannot move the cursor or hide what it says.
 */
export function cleanText(text: string): string {
  return (
    stripVTControlCharacters(text)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
      .replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, " ")
      .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "")
      .toWellFormed()
      .trim()
  );
}

/** Breaks a text at spaces (and not at no-break ones, which come out as spaces) into at most `most` lines of `width` cells; what is left over is cut with an ellipsis. */
export function wrapText(text: string, width: number, most: number, ellipsis = "…"): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest !== "" && lines.length < most - 1 && displayWidth(rest) > width) {
    const head = fitText(rest, width, "");
    const space = head.lastIndexOf(" ");
    const next = rest[head.length] === " " || space <= 0 ? head : head.slice(0, space);
    if (next === "") break;
    lines.push(next.trimEnd());
    rest = rest.slice(next.length).trimStart();
  }
  const whole = rest === "" ? lines : [...lines, fitText(rest, width, ellipsis)];
  return whole.map((line) => line.replaceAll("\u00a0", " "));
}
