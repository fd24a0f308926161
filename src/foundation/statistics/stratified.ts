import type { Interval } from "./interval.ts";

/** The standard normal's .975 quantile. */
const quantile = 1.959963984540054;

/** What was observed in one part of a target distribution. */
export interface StratumSample {
  /** Share in the target distribution; weights need not sum to one. */
  readonly weight: number;
  /** Independent values in [low, high], one an item. */
  readonly values: readonly number[];
  /** True when these are all items that there are: then their mean is known, not estimated. */
  readonly whole: boolean;
}

export interface StratifiedMean {
  readonly mean: number;
  /** 95 %. */
  readonly interval: Interval;
}

/**
 * The mean over a target distribution, with a 95 % interval: Σ W_s·x̄_s ± z·√Σ W_s²·v_s/n_s (Cochran, Sampling Techniques,
 * 1977, section 5.6). The variance v_s is that of the sample with the least and the greatest possible value added, the mean
 * is not moved: so a stratum in which all answers agreed still has an error (after Agresti and Min, Statistics in
 * Medicine 24, 2005, who add to the counts of paired binary data). Strata that were measured whole have none.
 *
 * Throws RangeError when a stratum that weighs has no values.
 */
export function stratifiedMean(
  strata: readonly StratumSample[],
  [low, high]: readonly [number, number],
): StratifiedMean {
  const total = strata.reduce((sum, { weight }) => sum + weight, 0);
  if (!(total > 0)) throw new RangeError("the strata weigh nothing");
  let weighed = 0;
  let variance = 0;
  for (const { weight, values, whole } of strata) {
    if (weight === 0) continue;
    if (values.length === 0) throw new RangeError("a stratum of the target distribution has no values");
    weighed += weight * meanOf(values);
    if (!whole) variance += ((weight / total) ** 2 * varianceOf([...values, low, high])) / values.length;
  }
  const mean = weighed / total;
  const margin = quantile * Math.sqrt(variance);
  return { mean, interval: { low: Math.max(low, mean - margin), high: Math.min(high, mean + margin) } };
}

/** What is left of independent values when only their number, their sum and the sum of their squares is kept. */
export interface Sums {
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
}

/**
 * The mean of independent values in [low, high] with its 95 % interval: as {@link stratifiedMean} of one stratum, of their sums.
 * Throws RangeError without values.
 */
export function meanOfSums(
  { count, sum, squares }: Sums,
  [low, high]: readonly [number, number],
): StratifiedMean {
  if (!(count > 0)) throw new RangeError("no values have no mean");
  const mean = sum / count;
  const all = { count: count + 2, sum: sum + low + high, squares: squares + low ** 2 + high ** 2 };
  const variance = Math.max(0, all.squares - all.sum ** 2 / all.count) / (all.count - 1);
  const margin = quantile * Math.sqrt(variance / count);
  return { mean, interval: { low: Math.max(low, mean - margin), high: Math.min(high, mean + margin) } };
}

/** The mean of independent values in [low, high], one stratum of {@link stratifiedMean}, with its 95 % interval. */
export function sampleMean(values: readonly number[], range: readonly [number, number]): StratifiedMean {
  return stratifiedMean([{ weight: 1, values, whole: false }], range);
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The unbiased sample variance. */
export function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}
