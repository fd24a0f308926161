/** A piece of an expression. */
export interface Token {
  readonly kind: "number" | "word" | "command" | "sign";
  readonly text: string;
  /** White space stands before it. */
  readonly spaced: boolean;
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

const replacements: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  [/\\(?:left|right|displaystyle|textstyle|mathrm|mathit|,|;|:|!| |quad|qquad|big|Big)(?![a-zA-Z])/g, " "],
  [/\\[()[\]]/g, " "],
  [/\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-zA-Z]))|°/g, " "],
  [/\\text\s*\{[^{}]*\}|\\degree(?![a-zA-Z])/g, " "],
  [/\{,\}/g, ","],
  [/\\([%$])/g, "$1"],
  [/[$`]/g, " "],
  [/\\(?:cdot|times)(?![a-zA-Z])|[×·∗⋅]|\*\*/g, (found) => (found === "**" ? "^" : "*")],
  [/\\div(?![a-zA-Z])|÷/g, "/"],
  [/\\[dtc]frac(?![a-zA-Z])/g, "\\frac"],
  [/[−–]/g, "-"],
  [/√/g, "\\sqrt"],
  [/π/g, "\\pi"],
  [/[⁰¹²³⁴⁵⁶⁷⁸⁹]+/g, (found) => `^${[...found].map((digit) => superscripts.indexOf(digit)).join("")}`],
];

const pattern =
  /(\s*)(?:(\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)|(\\[a-zA-Z]+)|([a-zA-Z]+)|([-+*/^(){}[\]|%_]))/uy;

/** The pieces of an expression in plain text or simple LaTeX; undefined where a sign has no meaning here. */
export function tokensOf(expression: string): Token[] | undefined {
  const plain = replacements
    .reduce((text, [from, to]) => text.replace(from, to as string), expression)
    .trim();
  const tokens: Token[] = [];
  pattern.lastIndex = 0;
  while (pattern.lastIndex < plain.length) {
    const match = pattern.exec(plain);
    if (match === null) return undefined;
    const [, space, number, command, word, sign] = match;
    const kind = number ? "number" : command ? "command" : word ? "word" : "sign";
    const text = number?.replaceAll(",", "") ?? command?.slice(1) ?? word ?? sign ?? "";
    tokens.push({ kind, text, spaced: space !== "" });
  }
  return tokens;
}
