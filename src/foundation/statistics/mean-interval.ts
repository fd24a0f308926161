import type { Interval } from "./interval.ts";
import { meanOf, varianceOf } from "./stratified.ts";

/**
 * The 95 % interval of a mean of which independent values were seen, which may be anywhere: x̄ ± t·s/√n, with the quantile
 * .975 of Student's t for n − 1 degrees of freedom (Student, Biometrika 6, 1908). It is exact for normal values; for skewed ones
 * it is nearly so once they are many. Values that lie in a known range have a better one, `stratifiedMean`.
 *
 * Throws RangeError for fewer than two values.
 *
 * @example
 * meanInterval([1.2, -0.4, 3.1, 0.7, 2.2]) // { low: -0.316, high: 3.036 }
 */
export function meanInterval(values: readonly number[]): Interval {
  if (values.length < 2) throw new RangeError(`${values.length} values say nothing of a mean's error`);
  const mean = meanOf(values);
  const margin = studentQuantile(values.length - 1) * Math.sqrt(varianceOf(values) / values.length);
  return { low: mean - margin, high: mean + margin };
}

/** The t with P(|T| ≤ t) = .95, by bisection on the angle θ = arctan(t/√ν). */
function studentQuantile(freedom: number): number {
  let [low, high] = [0, Math.PI / 2];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (withinAngle(middle, freedom) < 0.95) low = middle;
    else high = middle;
  }
  return Math.sqrt(freedom) * Math.tan((low + high) / 2);
}

/** P(|T| ≤ √ν·tan θ), a finite sum (Abramowitz and Stegun, 1964, 26.7.3 and 26.7.4). */
function withinAngle(angle: number, freedom: number): number {
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = freedom % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = 0;
  for (let power = odd ? 1 : 0; power <= freedom - 2; power += 2) {
    sum += term;
    term *= (cosine * cosine * (power + 1)) / (power + 2);
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
