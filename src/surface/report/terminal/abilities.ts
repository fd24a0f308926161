/** The environment's variables, passed in. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a view is drawn: standard output, or a twin of it in tests. */
export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly destroyed?: boolean;
  readonly writableEnded?: boolean;
  write(text: string): boolean;
  on(event: "error" | "close" | "resize" | "drain", listener: () => void): unknown;
  off(event: "error" | "close" | "resize" | "drain", listener: () => void): unknown;
}

/** Bits of colour: none, the 16 that a terminal's theme sets, the 256 of xterm, or all. */
export type ColourDepth = 0 | 4 | 8 | 24;

export interface Abilities {
  /** Whether lines can be drawn again in place. */
  readonly live: boolean;
  readonly unicode: boolean;
  readonly colours: ColourDepth;
}

export function abilitiesOf(stream: Pick<TerminalStream, "isTTY">, environment: Environment): Abilities {
  const isTerminal = stream.isTTY === true;
  return {
    live: isTerminal && environment.TERM !== "dumb",
    unicode: speaksUnicode(environment),
    colours: coloursOf(isTerminal, environment),
  };
}

/**
 * Whether the locale is UTF-8: the first of LC_ALL, LC_CTYPE and LANG that is set says it (POSIX, section 8.2). Where none
 * is set, as in most containers, the terminal outside is UTF-8 all the same.
 */
export function speaksUnicode(environment: Environment): boolean {
  const locale = [environment.LC_ALL, environment.LC_CTYPE, environment.LANG].find(Boolean);
  return locale === undefined ? environment.TERM !== "linux" : /utf-?8/i.test(locale);
}

/** FORCE_COLOR goes before NO_COLOR, and both before what the terminal says of itself. */
function coloursOf(isTerminal: boolean, environment: Environment): ColourDepth {
  const { FORCE_COLOR: forced, NO_COLOR: refused, TERM: terminal = "" } = environment;
  if (forced !== undefined) {
    if (forced === "0" || forced === "false") return 0;
    if (forced === "3") return 24;
    if (forced === "2") return 8;
    return isTerminal && terminal !== "dumb" ? depthOf(environment) : 4;
  }
  if ((refused !== undefined && refused !== "") || !isTerminal || terminal === "dumb") return 0;
  return depthOf(environment);
}

function depthOf({ COLORTERM, TERM = "", TERM_PROGRAM = "" }: Environment): ColourDepth {
  if (COLORTERM === "truecolor" || COLORTERM === "24bit") return 24;
  if (/^(iTerm\.app|WezTerm|vscode|ghostty)$/.test(TERM_PROGRAM)) return 24;
  if (/256|direct|kitty|alacritty/.test(TERM) || TERM_PROGRAM === "Apple_Terminal") return 8;
  return 4;
}
