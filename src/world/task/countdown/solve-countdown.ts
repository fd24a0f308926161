import { combine, equals, type Fraction, type Sign, signs, whole } from "./fraction.ts";

/** A value, and what it was made of; a given number was made of nothing. */
interface Term {
  readonly value: Fraction;
  readonly made: readonly [left: Term, sign: Sign, right: Term] | undefined;
}

/** An expression that uses each number once and equals the target, with no needless parentheses; undefined where none does. */
export function solveCountdown(numbers: readonly number[], target: number): string | undefined {
  const found = search(numbers.map(given), ({ value }) => equals(value, target));
  return found && written(found);
}

/** Every target in a range that the numbers can be made to reach. */
export function reachableTargets(
  numbers: readonly number[],
  [low, high]: readonly [number, number],
): ReadonlySet<number> {
  const reached = new Set<number>();
  search(numbers.map(given), ({ value }) => {
    const quotient = value.over / value.under;
    if (quotient >= low && quotient <= high && Number.isInteger(quotient)) reached.add(quotient);
    return false;
  });
  return reached;
}

function given(number: number): Term {
  return { value: whole(number), made: undefined };
}

/** Tries every way to make one term of all, until one is accepted. */
function search(terms: readonly Term[], accept: (term: Term) => boolean): Term | undefined {
  const [only, another] = terms;
  if (only === undefined) return undefined;
  if (another === undefined) return accept(only) ? only : undefined;
  for (let first = 0; first < terms.length; first++) {
    for (let second = 0; second < terms.length; second++) {
      const [left, right] = [terms[first], terms[second]];
      if (left === undefined || right === undefined || first === second) continue;
      const rest = terms.filter((_, index) => index !== first && index !== second);
      for (const sign of signs) {
        // a + b and a * b are b + a and b * a.
        if (second < first && (sign === "+" || sign === "*")) continue;
        const value = combine(left.value, sign, right.value);
        const found = value && search([...rest, { value, made: [left, sign, right] }], accept);
        if (found !== undefined) return found;
      }
    }
  }
  return undefined;
}

function written({ value, made }: Term): string {
  if (made === undefined) return String(value.over);
  const [left, sign, right] = made;
  const isSum = ({ made: parts }: Term): boolean => parts?.[1] === "+" || parts?.[1] === "-";
  const strong = sign === "*" || sign === "/";
  const closesLeft = strong && isSum(left);
  // a - (b + c) and a / (b * c) are not a - b + c and a / b * c; a * (b / c) is a * b / c.
  const closesRight = sign === "/" ? right.made !== undefined : sign !== "+" && isSum(right);
  const part = (term: Term, closed: boolean): string => (closed ? `(${written(term)})` : written(term));
  return `${part(left, closesLeft)} ${sign} ${part(right, closesRight)}`;
}
