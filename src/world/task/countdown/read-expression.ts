import { combine, type Fraction, type Sign, whole } from "./fraction.ts";

export interface Expression {
  readonly value: Fraction;
  /** In the order in which they stand. */
  readonly numbers: readonly number[];
}

/** As models and people also write the four signs. */
const spellings: Readonly<Record<string, Sign>> = {
  "+": "+",
  "-": "-",
  "−": "-",
  "–": "-",
  "*": "*",
  "×": "*",
  "·": "*",
  "/": "/",
  "÷": "/",
};

/** Deeper or longer than any sensible answer: what a model may write has no end. */
const mostCharacters = 500;
const mostDigits = 9;

/**
 * Reads whole numbers, + - * / and parentheses, with the usual precedence, from left to right. Undefined for anything else,
 * a sign before a number and a division by 0 among it.
 */
export function readExpression(text: string): Expression | undefined {
  if (text.length > mostCharacters) return undefined;
  const tokens = text.match(/\d+|\S/g) ?? [];
  const numbers: number[] = [];
  let place = 0;

  const signAt = (wanted: readonly Sign[]): Sign | undefined => {
    const sign = spellings[tokens[place] ?? ""];
    return sign !== undefined && wanted.includes(sign) ? sign : undefined;
  };
  const chain = (part: () => Fraction | undefined, wanted: readonly Sign[]): Fraction | undefined => {
    let value = part();
    for (let sign = signAt(wanted); sign !== undefined && value !== undefined; sign = signAt(wanted)) {
      place += 1;
      const right = part();
      value = right && combine(value, sign, right);
    }
    return value;
  };
  const sum = (): Fraction | undefined => chain(product, ["+", "-"]);
  const product = (): Fraction | undefined => chain(factor, ["*", "/"]);
  const factor = (): Fraction | undefined => {
    const token = tokens[place] ?? "";
    place += 1;
    if (token === "(") {
      const inner = sum();
      return tokens[place++] === ")" ? inner : undefined;
    }
    if (!/^\d+$/.test(token) || token.length > mostDigits) return undefined;
    numbers.push(Number(token));
    return whole(Number(token));
  };

  const value = sum();
  return value === undefined || place < tokens.length ? undefined : { value, numbers };
}
