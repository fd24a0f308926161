import type { TerminalStream } from "./abilities.ts";
import { fitLine, type Line, lineWidth, type Pen, paintLine } from "./paint.ts";
import { safeWriter } from "./safe-writer.ts";

const control = "\x1b[";
const hideCursor = `${control}?25l`;
const showCursor = `${control}?25h`;
/** Synchronised update: terminals that know it show a frame whole; others ignore it. */
const beginUpdate = `${control}?2026h`;
const endUpdate = `${control}?2026l`;
const eraseToLineEnd = `${control}K`;
const eraseBelow = `${control}J`;

const defaultSize = { columns: 80, rows: 24 };

/** The lower part of a terminal, drawn over itself; what lasts moves up above it. */
export interface Screen extends Disposable {
  /** Cells of a line: one less than the terminal has, so that no terminal wraps by itself. */
  readonly width: number;
  /** Lines that a frame may have. */
  readonly height: number;
  readonly open: boolean;
  /** Whether a frame may be left out because the last ones are still on their way. */
  readonly full: boolean;
  /** Lines that last, then the frame, in one write. The cursor waits below. */
  draw(lasting: readonly Line[], frame: readonly Line[]): void;
}

export function openScreen(stream: TerminalStream, pen: Pen): Screen {
  const writer = safeWriter(stream);
  let drawn: readonly Line[] = [];
  let drawnTexts: readonly string[] = [];
  let drawnColumns = 0;
  let hidden = false;
  let closed = false;
  const columns = (): number => positive(stream.columns, defaultSize.columns);
  const rows = (): number => positive(stream.rows, defaultSize.rows);

  const restore = (): void => {
    if (hidden) writer.write(showCursor);
    hidden = false;
  };
  // A second Ctrl-C ends the process at once; no `using` is left then.
  process.once("exit", restore);

  return {
    get width() {
      return Math.max(1, columns() - 1);
    },
    get height() {
      return Math.max(1, rows() - 1);
    },
    get open() {
      return !closed && writer.open;
    },
    get full() {
      return writer.full;
    },
    draw(lasting, frame) {
      if (closed || !writer.open) return;
      const texts = frame.map((line) => painted(line, pen));
      const resized = columns() !== drawnColumns;
      const whole = lasting.length > 0 || resized || frame.length !== drawn.length;
      if (!whole && texts.every((text, index) => text === drawnTexts[index])) return;
      // What was drawn on a wider terminal is broken into more rows there now.
      const rowsDrawn = resized
        ? drawn.reduce((sum, line) => sum + rowsTaken(line, columns()), 0)
        : drawn.length;
      const up = Math.min(rows() - 1, rowsDrawn);
      const above = lasting.map((line) => ended(paintLine(fitLine(line, this.width, pen), pen)));
      // A line that stays as it is costs one character: the rest of the terminal's time belongs to the engine.
      const below = texts.map((text, index) => (!whole && text === drawnTexts[index] ? "\n" : ended(text)));
      writer.write(
        [
          beginUpdate,
          hidden ? "" : hideCursor,
          "\r",
          up > 0 ? `${control}${up}A` : "",
          ...above,
          ...below,
          eraseBelow,
          endUpdate,
        ].join(""),
      );
      hidden = true;
      drawn = frame;
      drawnTexts = texts;
      drawnColumns = columns();
    },
    [Symbol.dispose]() {
      closed = true;
      process.off("exit", restore);
      restore();
    },
  };
}

function ended(text: string): string {
  return `${text}${eraseToLineEnd}\n`;
}

const paintings = new WeakMap<Line, string>();

/** Lines of a picture come again with every frame. */
function painted(line: Line, pen: Pen): string {
  const text = paintings.get(line) ?? paintLine(line, pen);
  paintings.set(line, text);
  return text;
}

function rowsTaken(line: Line, columns: number): number {
  return Math.max(1, Math.ceil(lineWidth(line) / columns));
}

function positive(value: number | undefined, otherwise: number): number {
  return value !== undefined && value > 0 ? value : otherwise;
}
