import { add, divide, multiply, negate, type Rational, rationalOf } from "./rational.ts";

/** A number as a person writes it. */
export interface WrittenNumber {
  /** Of `50%` it is one half. */
  readonly value: Rational;
  readonly percent: boolean;
}

/** Which sign stands before the decimals; the other one may separate thousands. */
export type DecimalSign = "." | ",";

const currency = "[$€£¥₹₩₽]";
const spaces = "[ \\u00a0\\u2009\\u202f]";

/** A number without its sign; what may follow it is looked at afterwards. */
function numberPattern(decimal: DecimalSign): RegExp {
  const point = decimal === "." ? "\\." : ",";
  const thousands = decimal === "." ? "," : "\\.";
  const whole = `(?:\\d{1,3}(?<separator>${thousands}|['’_]|${spaces})\\d{3}(?:\\k<separator>\\d{3})*(?!\\d)|\\d+)`;
  const plain = `(?:${whole}(?:${point}\\d+)?|${point}\\d+)(?:[eE][+-]?\\d+(?!\\d|\\.\\d))?`;
  const scaled = `(?<factor>${plain})(?:\\s?[×x*]\\s?10\\^(?<exponent>[+-]?\\d+))?`;
  const mixed = `(?<mixed>\\d+)${spaces}(?<part>\\d+)/(?<ofPart>\\d+)`;
  const fraction = `(?:${spaces}?/${spaces}?(?<below>\\d+(?:${point}\\d+)?))?`;
  const power = "10\\^(?<ten>[+-]?\\d+)";
  return new RegExp(
    `(?:${power}|${mixed}|${scaled}${fraction})(?:${spaces}?${currency})?(?<percent>${spaces}?%)?`,
    "uy",
  );
}

const patterns = { ".": numberPattern("."), ",": numberPattern(",") };

/**
 * The last number of a text; undefined where there is none, or where the last thing with digits could be read in two ways or is
 * no number: a range `3-5`, a date, a time, a list without spaces, a sum that was not worked out.
 */
export function lastNumber(text: string, decimal: DecimalSign = "."): WrittenNumber | undefined {
  const plain = plainText(text);
  let last: WrittenNumber | undefined;
  let place = 0;
  const digits = /\d/g;
  for (;;) {
    digits.lastIndex = place;
    const digit = digits.exec(plain)?.index;
    if (digit === undefined) return last;
    const start = startOf(plain, digit, decimal);
    if (/\p{L}[_-]?$/u.test(plain.slice(Math.max(0, start - 3), start))) {
      // `x2`, `COVID-19`: the digits are part of a name.
      place = endOfRun(plain, start);
      continue;
    }
    const found = numberAt(plain, start, decimal);
    last = found?.number;
    place = found?.end ?? endOfRun(plain, start);
  }
}

/** The number that a whole text is, white space aside; undefined where it is anything else. */
export function wholeNumber(text: string, decimal: DecimalSign = "."): WrittenNumber | undefined {
  const plain = plainText(text).trim();
  const [prefix = ""] = /^[+-]?(?:[$€£¥₹₩₽][ ]?)?[+-]?/u.exec(plain) ?? [];
  const found = numberAt(plain, prefix.length, decimal);
  return found?.end === plain.length ? found.number : undefined;
}

function numberAt(
  text: string,
  start: number,
  decimal: DecimalSign,
): { readonly number: WrittenNumber; readonly end: number } | undefined {
  const pattern = patterns[decimal];
  pattern.lastIndex = start;
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const end = start + match[0].length;
  if (continues(text, end)) return undefined;
  const sign = signBefore(text.slice(Math.max(0, start - 12), start));
  const value = figureOf(match.groups ?? {}, decimal);
  if (sign === undefined || value === undefined) return undefined;
  const percent = match.groups?.percent !== undefined;
  const signed = sign < 0 ? negate(value) : value;
  const scaled = percent ? divide(signed, { numerator: 100n, denominator: 1n }) : signed;
  return scaled && { number: { value: scaled, percent }, end };
}

type Groups = Readonly<Record<string, string | undefined>>;

function figureOf(
  { ten, mixed, part, ofPart, factor, exponent, below }: Groups,
  decimal: DecimalSign,
): Rational | undefined {
  if (ten !== undefined) return rationalOf(`1e${ten}`);
  if (mixed !== undefined) {
    const [whole, above, under] = [mixed, part, ofPart].map((digits) => rationalOf(digits ?? ""));
    const rest = above && under && divide(above, under);
    return whole && rest && add(whole, rest);
  }
  const read = (written: string): Rational | undefined => {
    const separators = decimal === "." ? /[,'’_\s]/gu : /[.'’_\s]/gu;
    return rationalOf(written.replace(separators, "").replace(",", "."));
  };
  const above = read(factor ?? "");
  const scale = exponent === undefined ? rationalOf("1") : rationalOf(`1e${exponent}`);
  const scaled = above && scale && multiply(above, scale);
  const under = below === undefined ? rationalOf("1") : read(below);
  return scaled && under && divide(scaled, under);
}

/** More digits, a power, or a letter with digits behind it: what was read is part of something else. */
function continues(text: string, end: number): boolean {
  return /^(?:[.,:'’/_–-]?\d|\s?\^|[⁰¹²³⁴-⁹⁻]|\p{L}+\d|[.,:/_–-]{2,}\d)/u.test(text.slice(end, end + 24));
}

/** 1 or −1; undefined where an operation stands before the number, so that it is no answer but a sum left undone. */
function signBefore(before: string): number | undefined {
  if (/[\d)\]}%!] *[+\-*×÷·/^] *$/u.test(before) || /\d +x +$/u.test(before)) return undefined;
  const [, sign] = /([+-])(?:[$€£¥₹₩₽] ?)?$/u.exec(before) ?? /[=(]\s?(-) $/u.exec(before) ?? [];
  if (sign === undefined) return /-[$€£¥₹₩₽]?-$/u.test(before) ? undefined : 1;
  return /[+-][$€£¥₹₩₽]?[+-]/u.test(before) ? undefined : sign === "-" ? -1 : 1;
}

/** A number may begin with its decimal sign. */
function startOf(text: string, digit: number, decimal: DecimalSign): number {
  const leads = text[digit - 1] === decimal && !/[\p{L}\d.,]/u.test(text[digit - 2] ?? " ");
  return leads ? digit - 1 : digit;
}

function endOfRun(text: string, start: number): number {
  const run = /[\p{L}\d.,:'’/^_–⁰¹²³⁴-⁹⁻-]*/uy;
  run.lastIndex = start;
  return start + Math.max(1, run.exec(text)?.[0].length ?? 1);
}

/** One way of writing for what LaTeX, keyboards and typography write in several. */
function plainText(text: string): string {
  return text
    .replace(/\\[dt]?frac\s*\{\s*(-?[\d.,]+)\s*\}\s*\{\s*([\d.,]+)\s*\}/g, "$1/$2")
    .replaceAll("{,}", ",")
    .replaceAll("\\!", "")
    .replace(/\\[,;: ]/g, "\u2009")
    .replace(/\\(?=[%$])/g, "")
    .replace(/\\(?:times|cdot)\b/g, "×")
    .replace(/\^\{?\(?\s*([+\-−]?\d+)\s*\)?\}?/g, "^$1")
    .replace(/[０-９]/g, (digit) => digit.normalize("NFKC"))
    .replace(
      /(\d?)([¼-¾⅐-⅞])/g,
      (_, whole: string, sign: string) => `${whole}${whole && " "}${sign.normalize("NFKC")}`,
    )
    .replaceAll("⁄", "/")
    .replace(/[−﹣－]/g, "-")
    .replace(/(^|[\s=(:])–(?=[\d.$€£])/g, "$1-");
}
