import { compare, type Rational } from "../rational.ts";
import { asNumber, evaluate, type Value } from "./evaluate.ts";
import { type Expression, symbolsOf } from "./parse.ts";

/** Numerators over 1,000 of what symbols are at each point: first near 1, then also negative and larger. */
const points: readonly (readonly bigint[])[] = [
  [613n, 1429n, 877n, 1711n, 1153n],
  [1931n, 739n, 1607n, 487n, 2213n],
  [2749n, 3301n, 349n, 1049n, 1867n],
  [-1367n, 2203n, 953n, -617n, 3559n],
  [839n, -2459n, -1319n, 2897n, -401n],
  [-3187n, -523n, 4051n, 1213n, -2683n],
  [7919n, 5381n, -6133n, 4327n, 9043n],
];
const fewestPoints = 3;

/**
 * Whether two expressions have equal values: exactly where both are fractions, else to twelve digits; with symbols at several
 * points. The second may have no symbol that the first has not.
 */
export function areEqual(reference: Expression, other: Expression): boolean {
  const names = [...symbolsOf(reference)].sort();
  if (![...symbolsOf(other)].every((name) => names.includes(name))) return false;
  let agreed = 0;
  for (const point of names.length === 0 ? points.slice(0, 1) : points) {
    const symbols = symbolsAt(names, point);
    const [expected, found] = [evaluate(reference, symbols), evaluate(other, symbols)];
    const defined = [expected, found].filter((value) => Number.isFinite(asNumber(value))).length;
    if (defined === 0) continue;
    if (defined === 1 || !valuesAgree(expected, found)) return false;
    agreed += 1;
  }
  return agreed >= (names.length === 0 ? 1 : fewestPoints);
}

function symbolsAt(names: readonly string[], point: readonly bigint[]): Map<string, Rational> {
  return new Map(
    names.map((name, index) => {
      const numerator =
        (point[index % point.length] ?? 1n) + 10_007n * BigInt(Math.floor(index / point.length));
      return [name, { numerator, denominator: 1009n }];
    }),
  );
}

function valuesAgree(one: Value, other: Value): boolean {
  if (typeof one !== "number" && typeof other !== "number") return compare(one, other) === 0;
  const [a, b] = [asNumber(one), asNumber(other)];
  return Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
}
