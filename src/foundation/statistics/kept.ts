import { exactInterval, type Interval } from "./interval.ts";

/** Answers of known truth, and how many of each a filter kept. */
export interface KeptCounts {
  readonly right: number;
  readonly rightKept: number;
  readonly wrong: number;
  readonly wrongKept: number;
}

export interface Estimate {
  readonly value: number;
  /** 95 %. */
  readonly interval: Interval;
}

/** A share with its exact 95 % interval; null of nothing. */
export function shareOf(successes: number, trials: number): Estimate | null {
  if (trials === 0) return null;
  return { value: successes / trials, interval: exactInterval(successes, trials) };
}

/**
 * The generation–verification gap: mean truth of what a filter keeps minus mean truth of all (arXiv 2412.02674, section 3). It is
 * the share that was dropped times the difference between kept and dropped, whose interval is found by squaring and adding
 * the exact intervals of the two (Newcombe, Statistics in Medicine 17, 1998, method 10 with exact limits). Where nothing was
 * dropped it is 0, without error. Null where nothing was kept.
 */
export function keptGap({ right, rightKept, wrong, wrongKept }: KeptCounts): Estimate | null {
  const [all, kept] = [right + wrong, rightKept + wrongKept];
  if (kept === 0) return null;
  const dropped = all - kept;
  if (dropped === 0) return { value: 0, interval: { low: 0, high: 0 } };
  const [own, other] = [shareOf(rightKept, kept), shareOf(right - rightKept, dropped)];
  if (own === null || other === null) return null;
  const weight = dropped / all;
  const difference = own.value - other.value;
  const below = Math.hypot(own.value - own.interval.low, other.interval.high - other.value);
  const above = Math.hypot(own.interval.high - own.value, other.value - other.interval.low);
  return {
    value: weight * difference,
    interval: { low: weight * (difference - below), high: weight * (difference + above) },
  };
}

/** What is known of a filter from answers of known truth. */
export interface FilterIntegrity {
  /** Share of right answers that it keeps (φ), and of wrong ones (ψ). */
  readonly phi: Estimate;
  readonly psi: Estimate;
  /**
   * The share of wrong answers before the filter from which on more wrong than right ones are kept, p* = φ/(φ+ψ) = 1/(1+ψ/φ)
   * (arXiv 2406.07515): by the two shares, and at least and at most, by the ends of their intervals.
   */
  readonly breakdown: { readonly value: number; readonly low: number; readonly high: number };
  /** φ − ψ, and at least: a filter that tells nothing has 0. */
  readonly telling: { readonly value: number; readonly low: number };
}

/**
 * Null where no right or no wrong answer is known: {@link filterLimits} says what holds even then. A filter that keeps nothing at
 * all has its breakdown at 0.
 */
export function filterIntegrity(counts: KeptCounts): FilterIntegrity | null {
  const phi = shareOf(counts.rightKept, counts.right);
  const psi = shareOf(counts.wrongKept, counts.wrong);
  if (phi === null || psi === null) return null;
  const least = filterLimits(phi.interval, psi.interval);
  return {
    phi,
    psi,
    breakdown: {
      value: breakdownAt(phi.value, psi.value),
      low: least.breakdown,
      high: breakdownAt(phi.interval.high, psi.interval.low),
    },
    telling: { value: phi.value - psi.value, low: least.telling },
  };
}

/** What p* and φ − ψ are at least, by what is known of φ and ψ: of a share of which nothing is known, [0, 1]. */
export function filterLimits(
  phi: Interval,
  psi: Interval,
): { readonly breakdown: number; readonly telling: number } {
  return { breakdown: breakdownAt(phi.low, psi.high), telling: phi.low - psi.high };
}

function breakdownAt(kept: number, wrongly: number): number {
  return kept === 0 ? 0 : kept / (kept + wrongly);
}
