import { add, divide, multiply, negate, power, type Rational, rational, toNumber } from "../rational.ts";
import type { Expression, FunctionName } from "./parse.ts";

/** Exact where it can be; NaN where there is no (real, finite) value. */
export type Value = Rational | number;

/** The value of an expression where its symbols have these values. */
export function evaluate(expression: Expression, symbols: ReadonlyMap<string, Rational>): Value {
  switch (expression.kind) {
    case "number":
      return expression.value;
    case "constant":
      return expression.name === "pi" ? Math.PI : Math.E;
    case "symbol":
      return symbols.get(expression.name) ?? Number.NaN;
    case "negative": {
      const value = evaluate(expression.of, symbols);
      return typeof value === "number" ? -value : negate(value);
    }
    case "call":
      return called(expression.name, evaluate(expression.of, symbols));
    case "operation": {
      const [left, right] = [evaluate(expression.left, symbols), evaluate(expression.right, symbols)];
      return typeof left !== "number" && typeof right !== "number"
        ? (exactly(expression.sign, left, right) ?? nearly(expression.sign, toNumber(left), toNumber(right)))
        : nearly(expression.sign, asNumber(left), asNumber(right));
    }
  }
}

export function asNumber(value: Value): number {
  return typeof value === "number" ? value : toNumber(value);
}

/** Undefined where there is no exact value, or one too large to be kept. */
function exactly(sign: string, left: Rational, right: Rational): Rational | undefined {
  if (sign === "+") return add(left, right);
  if (sign === "*") return multiply(left, right);
  if (sign === "/") return divide(left, right);
  if (right.denominator === 1n) return power(left, right.numerator);
  const root = exactRoot(left, right.denominator);
  return root && power(root, right.numerator);
}

function nearly(sign: string, left: number, right: number): number {
  if (sign === "+") return sumOf(left, right);
  if (sign === "*") return kept(left * right, left !== 0 && right !== 0);
  if (sign === "/") return right === 0 ? Number.NaN : kept(left / right, left !== 0);
  if (left >= 0 || Number.isInteger(right)) return kept(left ** right, left !== 0);
  // The real root of a negative number: only odd ones have one.
  const degree = Math.round(1 / right);
  return Math.abs(degree) % 2 === 1 && Math.abs(right * degree - 1) < 1e-12
    ? -((-left) ** right)
    : Number.NaN;
}

/** What is left of two numbers that cancel is their rounding, and nothing. */
function sumOf(left: number, right: number): number {
  const sum = left + right;
  return Math.abs(sum) <= 1e-13 * Math.max(Math.abs(left), Math.abs(right)) ? 0 : sum;
}

/** No value where a number too small to be held would pass for 0. */
function kept(value: number, isNotZero: boolean): number {
  return isNotZero && Math.abs(value) < 1e-300 ? Number.NaN : value;
}

/** The real root, where it is a fraction. */
function exactRoot({ numerator, denominator }: Rational, degree: bigint): Rational | undefined {
  if (degree > 64n || (numerator < 0n && degree % 2n === 0n)) return undefined;
  const above = wholeRoot(numerator < 0n ? -numerator : numerator, degree);
  const below = wholeRoot(denominator, degree);
  if (above === undefined || below === undefined) return undefined;
  return rational(numerator < 0n ? -above : above, below);
}

/** By Newton's method on integers, from above. */
function wholeRoot(value: bigint, degree: bigint): bigint | undefined {
  if (value < 2n) return value;
  let root = 1n << (BigInt(value.toString(2).length) / degree + 1n);
  for (;;) {
    const next = ((degree - 1n) * root + value / root ** (degree - 1n)) / degree;
    if (next >= root) return root ** degree === value ? root : undefined;
    root = next;
  }
}

const functions: Readonly<Record<Exclude<FunctionName, "abs">, (value: number) => number>> = {
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  ln: Math.log,
  log: Math.log10,
  exp: Math.exp,
};

function called(name: FunctionName, value: Value): Value {
  if (name !== "abs") {
    const given = functions[name](asNumber(value));
    if (name === "exp") return kept(given, true);
    return name !== "ln" && name !== "log" && Math.abs(given) < 1e-15 ? 0 : given;
  }
  if (typeof value === "number") return Math.abs(value);
  return value.numerator < 0n ? negate(value) : value;
}
