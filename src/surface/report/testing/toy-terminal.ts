import { EventEmitter } from "node:events";
import { displayWidth } from "../terminal/display-width.ts";

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const sequences = new RegExp(`(${String.fromCharCode(27)}\\[[?0-9;]*[A-Za-z]|\\r|\\n)`);

/** A text as cells: a wide character takes two, the second of which is empty. */
function cellsOf(text: string): string[] {
  return [...graphemes.segment(text)].flatMap(({ segment }) =>
    displayWidth(segment) === 2 ? [segment, ""] : [segment],
  );
}

/**
 * A stream that draws what is written on a screen in memory, as a terminal does: just enough of it to see what a person
 * would see. `wrapped` says whether a line ever ran over the right edge.
 */
export class ToyTerminal extends EventEmitter {
  readonly isTTY = true;
  columns: number;
  rows: number;
  /** Every write, as it came. */
  readonly written: string[] = [];
  cursorShown = true;
  wrapped = false;
  #lines: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns = 80, rows = 24) {
    super();
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): boolean {
    this.written.push(text);
    for (const part of text.split(sequences)) this.#obey(part);
    return true;
  }

  /** All lines, those that scrolled away first, without the empty ones at the end. */
  get lines(): string[] {
    const texts = this.#lines.map((line) => line.join("").trimEnd());
    return texts.slice(0, texts.findLastIndex((line) => line !== "") + 1);
  }

  /** The highest number of lines between two places of the cursor. */
  mostLinesBack = 0;

  /** Gives the terminal another width, and breaks what does not fit, as most terminals do. */
  resize(columns: number): void {
    const broken = this.#lines.map((line) => {
      const used = line.slice(0, line.findLastIndex((cell) => cell !== " ") + 1);
      const pieces = Math.max(1, Math.ceil(used.length / columns));
      return Array.from({ length: pieces }, (_, index) => used.slice(index * columns, (index + 1) * columns));
    });
    this.#row = broken.slice(0, this.#row).reduce((sum, pieces) => sum + pieces.length, 0);
    this.#lines = broken.flat();
    while (this.#lines.length <= this.#row) this.#lines.push([]);
    this.columns = columns;
    this.emit("resize");
  }

  #obey(part: string): void {
    const [, mode, count = "", verb] =
      /\[(\??)([0-9;]*)([A-Za-z])$/.exec(sequences.test(part) ? part : "") ?? [];
    if (part === "\r") this.#column = 0;
    else if (part === "\n") this.#feed();
    else if (verb === "A") this.#up(Number(count));
    else if (verb === "K") this.#line().length = Math.min(this.#line().length, this.#column);
    else if (verb === "J") {
      this.#line().length = Math.min(this.#line().length, this.#column);
      this.#lines.length = this.#row + 1;
    } else if (mode === "?" && count === "25") this.cursorShown = verb === "h";
    else if (verb === undefined) this.#type(part);
  }

  #line(): string[] {
    const line = this.#lines[this.#row] ?? [];
    this.#lines[this.#row] = line;
    return line;
  }

  #feed(): void {
    this.#row += 1;
    this.#column = 0;
    this.#line();
  }

  #up(rows: number): void {
    this.mostLinesBack = Math.max(this.mostLinesBack, rows);
    this.#row = Math.max(0, this.#lines.length - this.rows, this.#row - rows);
  }

  #type(text: string): void {
    const line = this.#line();
    for (const cell of cellsOf(text)) {
      while (line.length < this.#column) line.push(" ");
      line[this.#column] = cell;
      this.#column += 1;
    }
    if (this.#column > this.columns) this.wrapped = true;
  }
}
