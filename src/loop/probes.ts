import type { ProbeResult } from "../foundation/contract/index.ts";
import { percent, points, signedPoints, Wealth } from "../foundation/statistics/index.ts";

/** Which strata must not drop, and by how much they may seem to. */
export interface ProbeOptions {
  /** Those that are measured whole, or strata by name. None if left out. */
  readonly probes?: "enumerated" | readonly string[] | undefined;
  /** A loss of this much must not pass. */
  readonly probeMargin?: number | undefined;
  /** Share of a probe's items on which two models that are equally good are taken to differ: how many pairs it needs. */
  readonly probeDiscordance?: number | undefined;
  /** What becomes of a probe that has too few items to protect: the run is refused, or goes on without it. */
  readonly thinProbes?: "refuse" | "drop" | undefined;
}

/** The chance that a loss of the margin passes, in each opening. */
export const probeLevel = 0.05;
export const defaultMargin = 0.02;
export const defaultDiscordance = 0.1;

/** The level of the r-th opening on a probe's items: these histories of bits are shared among on reused ones. */
export function probeLevelAt(opening: number, reused: boolean): number {
  return reused ? probeLevel / 2 ** (opening - 1) : probeLevel;
}

/** What all probes of an opening came to. */
export interface Probed {
  /** Every probe has shown that its loss is below the margin: without that nothing is promoted. */
  readonly kept: boolean;
  readonly results: readonly ProbeResult[];
}

/** The mean difference over a whole stratum, void pairs counted worst. */
export interface WholeStratum {
  readonly stratum: string;
  readonly items: number;
  readonly voids: number;
  readonly observed: number;
}

/** A stratum of which every item was answered: whether it dropped is known. */
export function exactProbe({ stratum, items, voids, observed }: WholeStratum, margin: number): ProbeResult {
  return {
    stratum,
    margin,
    exact: true,
    reused: false,
    outcome: -observed < margin ? "kept" : "dropped",
    level: null,
    pairs: items,
    voids,
    observed,
    wealth: null,
  };
}

/** Pairs that were answered together. */
export interface ProbedPairs {
  readonly pairs: readonly { readonly difference: number; readonly void: boolean }[];
}

export interface ProbeRequest {
  readonly stratum: string;
  readonly margin: number;
  /** As {@link probeLevelAt} gives it. */
  readonly level: number;
  readonly reused: boolean;
  /** Most pairs. */
  readonly cap: number;
  /** The next pairs of an order that was fixed in advance; none when no item is left. */
  readonly nextPairs: (count: number) => Promise<readonly ProbedPairs[]>;
}

/** Pairs that are answered at first, and how much further each time. */
const firstPairs = 128;
const growth = 1.5;
/** A bet that the mean is below −margin is safe up to here: its largest λ is .95. */
const widestBet = 0.05;

/**
 * Whether a stratum's loss is below a margin: a bet that the mean difference is above −margin, which is won at 1/level. While
 * the loss is as large as the margin, the chance that it is ever won is at most `level` (see {@link Wealth}); that every probe
 * must win needs no correction over probes, since a loss in one passes only where that one is won by chance
 * (intersection–union). On fresh items it ends early too where a loss above the margin is shown at .05.
 */
export async function openProbe(request: ProbeRequest): Promise<ProbeResult> {
  const { stratum, margin, level, reused, cap, nextPairs } = request;
  const kept = new Wealth({ than: "greater", mean: -margin });
  const dropped = margin <= widestBet ? new Wealth({ than: "less", mean: -margin }) : undefined;
  let [pairs, voids, sum] = [0, 0, 0];
  let shown = false;
  const end = (outcome: "kept" | "dropped" | "not-shown"): ProbeResult => ({
    stratum,
    margin,
    exact: false,
    reused,
    outcome,
    level,
    pairs,
    voids,
    observed: pairs === 0 ? 0 : sum / pairs,
    wealth: kept.value,
  });
  for (let asked = firstPairs; ; asked = Math.ceil(asked * growth)) {
    const answered = await nextPairs(asked);
    if (answered.length === 0) return end(shown ? "kept" : "not-shown");
    for (const pair of answered.flatMap((block) => block.pairs)) {
      if (pairs === cap) return end(shown ? "kept" : "not-shown");
      kept.bet([pair.difference]);
      dropped?.bet([pair.difference]);
      pairs += 1;
      voids += pair.void ? 1 : 0;
      sum += pair.difference;
      shown ||= kept.value >= 1 / level;
      // All are answered on reused items: how many it took is more than the one bit.
      if (reused) continue;
      if (shown) return end("kept");
      if (dropped !== undefined && dropped.value >= 1 / probeLevel) return end("dropped");
    }
  }
}

/** All probes of an opening. Of reused ones nothing leaves but whether all were kept. */
export function probedOf(results: readonly ProbeResult[]): Probed {
  return {
    kept: results.every(({ outcome }) => outcome === "kept"),
    results: results.map((result) => (result.reused ? sealed(result) : result)),
  };
}

function sealed(result: ProbeResult): ProbeResult {
  return { ...result, outcome: null, voids: null, observed: null, wealth: null };
}

/** What probes add to a reason. */
export function probeWords({ kept, results }: Probed): string {
  if (results.length === 0) return "";
  const names = namesOf(results);
  if (kept) return `; no loss of ${points(results[0]?.margin ?? 0)} in ${names}`;
  const lost = results.filter(({ outcome }) => outcome === "dropped" || outcome === "not-shown");
  if (lost.length > 0) return `; but ${lost.map(dropWords).join("; ")}`;
  return `; but that ${names} did not drop was not shown`;
}

/** The same of an opening on reused items that was not won, whether or not a probe was the reason. */
export function togetherWords({ results }: Probed): string {
  return results.length === 0 ? "" : `, or not without a loss in ${namesOf(results)}`;
}

const namesOf = (results: readonly ProbeResult[]): string => results.map(({ stratum }) => stratum).join(", ");

/** What a probe that was not kept has shown, for people. */
export function dropWords({ stratum, margin, outcome, exact, observed, pairs }: ProbeResult): string {
  const of = exact ? `all ${pairs} items` : `${pairs} pairs`;
  const seen = `${signedPoints(observed ?? 0)} points on ${of}`;
  return outcome === "dropped"
    ? `${stratum} dropped: ${seen}, margin ${points(margin)}`
    : `that ${stratum} did not drop was not shown: ${seen}, margin ${points(margin)}`;
}

/** What passes through a probe, for people: its promise. */
export function probePromise({ stratum, margin, exact, level }: ProbeResult): string {
  return exact
    ? `${stratum}: every item was answered, and less than ${points(margin)} were lost`
    : `${stratum}: a real loss of ${points(margin)} or more passes with a chance of at most ${percent(level ?? probeLevel)} an opening`;
}
