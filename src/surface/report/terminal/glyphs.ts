import type { Outcome } from "../words.ts";

/** The characters that a view is drawn with. */
export interface Glyphs {
  readonly unicode: boolean;
  readonly ellipsis: string;
  readonly dot: string;
  readonly arrow: string;
  readonly warning: string;
  readonly outcome: Readonly<Record<Outcome, string>>;
  /** From the least accuracy to the greatest; the last one stands for .9 and more. */
  readonly shades: string;
  readonly unmeasured: string;
  readonly barFull: string;
  readonly barEmpty: string;
  readonly barEnds: readonly [string, string];
}

export const unicodeGlyphs: Glyphs = {
  unicode: true,
  ellipsis: "…",
  dot: "·",
  arrow: "→",
  warning: "!",
  outcome: {
    promoted: "▲",
    rejected: "▽",
    "rolled-back": "↩",
    asked: "?",
    observed: "○",
    "given-up": "×",
    open: "▸",
  },
  shades: "·░▒▓█",
  unmeasured: " ",
  barFull: "█",
  barEmpty: "░",
  barEnds: ["", ""],
};

export const asciiGlyphs: Glyphs = {
  unicode: false,
  ellipsis: "...",
  dot: "-",
  arrow: "->",
  warning: "!",
  outcome: {
    promoted: "^",
    rejected: "v",
    "rolled-back": "<",
    asked: "?",
    observed: "o",
    "given-up": "x",
    open: ">",
  },
  shades: " .:-=+*#%@",
  unmeasured: "?",
  barFull: "#",
  barEmpty: ".",
  barEnds: ["[", "]"],
};

const replacements: Readonly<Record<string, string>> = {
  "–": "-",
  "—": "-",
  "−": "-",
  "→": "->",
  "←": "<-",
  "·": "-",
  "•": "*",
  "…": "...",
  "×": "x",
  "├": "|",
  "└": "`",
  "│": "|",
  "─": "-",
  "±": "+/-",
  "≥": ">=",
  "≤": "<=",
  "≠": "!=",
  "≈": "~",
  "∞": "infinity",
  "“": '"',
  "”": '"',
  "„": '"',
  "‘": "'",
  "’": "'",
  α: "alpha",
  β: "beta",
  λ: "lambda",
  ρ: "rho",
  φ: "phi",
  ψ: "psi",
  "\u00a0": " ",
  "\u202f": " ",
};

/** The nearest ASCII text: for terminals whose locale has no more. */
export function toAscii(text: string): string {
  return text
    .replace(/[^\0-~]/gu, (character) => replacements[character] ?? character)
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .replace(/[^\0-~]/gu, "?");
}
