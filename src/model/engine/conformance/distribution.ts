import type { SamplingParameters } from "../../../foundation/contract/index.ts";

/** The distribution that samples have under temperature, topK, topP and minP, applied in this order. */
export function filtered(
  probabilities: readonly number[],
  { temperature = 1, topK = 0, topP = 1, minP = 0 }: Partial<SamplingParameters>,
): number[] {
  const heated = normalised(probabilities.map((probability) => probability ** (1 / temperature)));
  const order = [...heated.keys()].sort((a, b) => (heated[b] as number) - (heated[a] as number));
  const ranked = normalised(order.map((id, rank) => (topK > 0 && rank >= topK ? 0 : (heated[id] as number))));
  let before = 0;
  const kept = ranked.map((probability) => {
    const keeps = before < topP && probability >= minP * (ranked[0] as number);
    before += probability;
    return keeps ? probability : 0;
  });
  const result = new Array<number>(probabilities.length).fill(0);
  for (const [rank, id] of order.entries()) result[id] = normalised(kept)[rank] as number;
  return result;
}

/** Filters that each keep the same tokens, with a gap behind the last of them that is as wide as any. */
interface Gap {
  /** Between the logprobs of the last token that is kept and of the first that is not. */
  readonly width: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
}

/** The widest gap behind one of the five likeliest tokens; thresholds are in its middle. */
export function widestGap(probabilities: readonly number[], temperature = 1): Gap {
  const sorted = filtered(probabilities, { temperature }).sort((a, b) => b - a);
  const gapAfter = (topK: number): Gap => {
    const [first, last, next] = [sorted[0], sorted[topK - 1], sorted[topK]] as [number, number, number];
    const before = sorted.slice(0, topK - 1).reduce((sum, one) => sum + one, 0);
    const width = Math.log(last / next);
    return { width, topK, topP: before + last / 2, minP: Math.sqrt(last * next) / first };
  };
  const gaps = [1, 2, 3, 4, 5].filter((rank) => rank < sorted.length).map(gapAfter);
  return gaps.reduce((best, one) => (one.width > best.width ? one : best));
}

function normalised(values: readonly number[]): number[] {
  const whole = values.reduce((sum, value) => sum + value, 0);
  return values.map((value) => value / whole);
}

/**
 * How many standard deviations Pearson's chi-squared of these counts lies above its mean, once it is made normal: of its own few
 * degrees of freedom five of them come once in hundreds (Wilson and Hilferty, PNAS 17, 1931: ∛(χ²/k) has the mean 1 − 2/9k and the
 * variance 2/9k). Ids of which fewer than five are expected are counted as one. `deviation` is how far probabilities themselves may be
 * off, relative to their size.
 */
export function strangeness(
  counts: readonly number[],
  probabilities: readonly number[],
  deviation = 0,
): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const cells: (readonly [found: number, expected: number])[] = [];
  let [rareFound, rareExpected] = [0, 0];
  for (const [id, probability] of probabilities.entries()) {
    const [found, expected] = [counts[id] as number, probability * total];
    if (expected >= 5) cells.push([found, expected]);
    else [rareFound, rareExpected] = [rareFound + found, rareExpected + expected];
  }
  if (rareExpected > 0) cells.push([rareFound, Math.max(rareExpected, 1)]);
  const squared = cells.reduce(
    (sum, [found, expected]) => sum + (found - expected) ** 2 / (expected + (deviation * expected) ** 2),
    0,
  );
  const freedom = Math.max(1, cells.length - 1);
  const variance = 2 / (9 * freedom);
  return (Math.cbrt(squared / freedom) - 1 + variance) / Math.sqrt(variance);
}
