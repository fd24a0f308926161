import type { Clock } from "../../../foundation/base/index.ts";
import { abilitiesOf, type Environment, type TerminalStream } from "./abilities.ts";
import { asciiGlyphs, unicodeGlyphs } from "./glyphs.ts";
import { liveView } from "./live-view.ts";
import type { Pen } from "./paint.ts";
import { plainView } from "./plain-view.ts";
import type { TerminalView } from "./view.ts";

export interface TerminalViewOptions {
  readonly stream: TerminalStream;
  /** LC_ALL, LC_CTYPE, LANG, TERM, COLORTERM, NO_COLOR and FORCE_COLOR are read. */
  readonly environment: Environment;
  readonly clock: Clock;
}

export type { TerminalView } from "./view.ts";

/**
 * A run on a terminal while it goes: in place where the terminal can, in plain lines where it cannot (a pipe, CI,
 * TERM=dumb). It never throws when the stream closes, and gives the cursor back when it is disposed of.
 *
 * @example
 * using view = terminalView({ stream: process.stdout, environment: process.env, clock: systemClock });
 * await run(definition, { folder: ".", watch: (event) => view.watch(event) });
 */
export function terminalView(options: TerminalViewOptions): TerminalView {
  const { stream, environment, clock } = options;
  const { live, unicode, colours } = abilitiesOf(stream, environment);
  const pen: Pen = { glyphs: unicode ? unicodeGlyphs : asciiGlyphs, colours };
  return live ? liveView({ stream, clock, pen }) : plainView({ stream, clock, pen });
}
