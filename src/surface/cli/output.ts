import { type Environment, speaksUnicode } from "../report/terminal/abilities.ts";
import { toAscii } from "../report/terminal/glyphs.ts";
import { escapeControls } from "./escape-controls.ts";

/** Where a command writes. A reader that went away (`| head`) ends the printing, never the work. */
export interface Output {
  /** Cells of a line of the result; infinite where nothing cuts it. */
  readonly columns: number;
  /** The result, for people: standard output. */
  line(text?: string): void;
  /** The result, for programs, as it is: lines that end in a line end. On a terminal control characters are written out. */
  data(text: string): void;
  /** The result, for programs: one value a line of standard output. */
  json(value: unknown): void;
  /** Beside the result, for people: standard error. */
  note(text: string): void;
  /** What is going on now: on a terminal one line that the next word replaces, elsewhere nothing. */
  passing(text: string): void;
}

/** Standard output or error: what only terminals have may be missing. */
export type TextStream = Pick<NodeJS.WriteStream, "on" | "write"> &
  Partial<Pick<NodeJS.WriteStream, "isTTY" | "columns" | "getColorDepth">>;

const eraseLine = "\r\x1b[K";

/**
 * Words are brought down to ASCII where the locale of the environment is not UTF-8; JSON is UTF-8 everywhere. Control characters,
 * which a task's or a file's text may hold, are written out.
 */
export function outputTo(standard: TextStream, error: TextStream, environment: Environment): Output {
  const result = untilClosed(standard);
  const aside = untilClosed(error);
  const unicode = speaksUnicode(environment);
  const readable = (text: string): string => (unicode ? escapeControls(text) : toAscii(escapeControls(text)));
  let passing = false;
  const erase = (): void => {
    if (passing) aside(eraseLine);
    passing = false;
  };
  const say = (text: string): void => {
    erase();
    aside(text);
  };
  /** On one terminal both stand in the same line. */
  const tell = (text: string): void => {
    if (standard.isTTY === true) erase();
    result(text);
  };
  return {
    // A terminal that does not know its size says 0.
    columns: standard.columns || Number.POSITIVE_INFINITY,
    line: (text = "") => tell(`${readable(text)}\n`),
    data: (text) => tell(standard.isTTY === true ? escapeControls(text) : text),
    json: (value) => tell(`${escapeControls(JSON.stringify(value))}\n`),
    note: (text) => say(`${readable(text)}\n`),
    passing: (text) => {
      if (error.isTTY !== true) return;
      aside(eraseLine + readable(text).slice(0, Math.max(1, (error.columns || 80) - 1)));
      passing = true;
    },
  };
}

/** EPIPE comes as an event after the write; so do a full disk behind `>` and a terminal that was closed. */
function untilClosed(stream: TextStream): (text: string) => void {
  let open = true;
  stream.on("error", () => {
    open = false;
  });
  return (text) => {
    if (open) stream.write(text);
  };
}
