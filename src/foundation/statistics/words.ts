/** A share as `61.0 %`. */
export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** A difference of shares in percentage points, always with its sign; never `-0.0`. */
export function signedPoints(difference: number): string {
  const text = (100 * difference).toFixed(1);
  return Number(text) === 0 ? "+0.0" : difference > 0 ? `+${text}` : text;
}

/** A gain that is meant to be one, such as the smallest that can be shown: `15.2 points`. */
export function points(gain: number): string {
  return `${(100 * gain).toFixed(1)} points`;
}

/** One of what a unit counts, for after “each” and “every”: a length is a length, and of digits there is a number. */
export function oneOf(unit: string): string {
  return /[^s]s$/.test(unit) ? `number of ${unit}` : unit;
}

/** `812`, `12.4 k`, `3.1 M`. */
export function compact(count: number): string {
  const size = Math.abs(count);
  if (size < 1000) return String(Math.round(count));
  const [divisor, letter] = size < 999_500 ? [1e3, "k"] : size < 999_500_000 ? [1e6, "M"] : [1e9, "G"];
  return `${(count / divisor).toFixed(1)} ${letter}`;
}
