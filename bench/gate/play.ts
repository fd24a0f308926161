import { decide, openGate } from "whetstone";
import { type RandomStream, randomStream } from "../../src/foundation/base/index.ts";
import { freshBlocks, winsAndLosses } from "./blocks.ts";
import { fixedPairs } from "./fixed-size.ts";
import type { Gate } from "./gates.ts";
import type { NullCase } from "./null-case.ts";

/** The chance of one false promotion over all openings of a run. */
export const alpha = 0.05;
/** Most pairs of an opening, as the gate has it by default. */
export const cap = 4000;
/** Openings of a run. */
export const openings = 50;
/** At most so many times the items of the fixed-size test, of half and of four fifths of the openings. */
export const bars = { median: 1.5, p80: 2.5 } as const;

export interface NullRuns {
  readonly case: NullCase;
  readonly gate: Gate;
  readonly strata: number;
  /** The first run, and the one after the last: each draws from a stream of its own. */
  readonly runs: readonly [first: number, end: number];
  readonly seed: string;
  /** Most pairs of an opening; as the gate has it if left out. */
  readonly cap?: number;
  /** Openings of a run that are played: all of them if left out. */
  readonly first?: number;
}

/** How many runs without a true gain ever promote a candidate that has none. */
export async function falseRuns(played: NullRuns): Promise<number> {
  const { seed, runs } = played;
  let wrong = 0;
  for (let run = runs[0]; run < runs[1]; run++)
    if (await everPromotes(played, randomStream(seed, `null/${run}`))) wrong += 1;
  return wrong;
}

async function everPromotes(played: NullRuns, random: RandomStream): Promise<boolean> {
  const most = played.cap ?? cap;
  const history = played.case({ strata: played.strata, cap: most, random });
  for (let number = 1; number <= (played.first ?? openings); number++) {
    const { withoutGain, ...blocks } = history.open(number);
    const smallestGain = blocks.reused ? 0.03 : 0.01;
    const options = { alpha, smallestGain, cap: most };
    const opening = await played.gate({ opening: number, options, ...blocks });
    const { decision } = decide({ opening, findings: [], observe: false });
    if (decision === "promote" && withoutGain) return true;
    history.told(opening);
  }
  return false;
}

/** One true gain, and where it is looked for. */
export interface PowerCell {
  /** Which opening. */
  readonly r: number;
  readonly gain: number;
  readonly discordance: number;
  readonly strata: number;
}

/** A gain cannot exceed the share of items on which the two models differ. */
export const powerCells: readonly PowerCell[] = [1, 8, 50].flatMap((r) =>
  [0.1, 0.25, 0.45].flatMap((discordance) =>
    [0.05, 0.1, 0.15]
      .filter((gain) => gain <= discordance)
      .flatMap((gain) => [1, 3, 18].map((strata) => ({ r, gain, discordance, strata }))),
  ),
);

export interface PowerPlayed {
  /** Items that the fixed-size test needs. */
  readonly fixed: number;
  /** Of each opening, items until the candidate was promoted, from the fewest; infinite where it never was. */
  readonly pairs: Float64Array;
  readonly futile: number;
}

/** An opening goes on so many times longer than the fixed-size test, whatever the gate's default cap, so that none is cut off. */
const patience = 12;

/** Plays openings with a true gain. Strata differ in theirs, by half of it at most. */
export async function playPower(
  cell: PowerCell,
  { gate, times, seed }: { readonly gate: Gate; readonly times: number; readonly seed: string },
): Promise<PowerPlayed> {
  const { r, discordance, strata } = cell;
  const gains = gainsOf(cell);
  const request = { opening: r, options: { alpha, smallestGain: 0.01, cap } };
  const level = (await openGate({ ...request, nextBlocks: async () => [] })).alpha;
  const fixed = fixedPairs({ discordance, gains, alpha: level });
  const most = patience * (fixed + strata);
  const chances = gains.map((gain) => ({
    better: (discordance + gain) / 2,
    worse: (discordance - gain) / 2,
  }));
  const outcomes = winsAndLosses((stratum) => chances[stratum] as (typeof chances)[number]);
  const pairs = new Float64Array(times);
  let futile = 0;
  for (let time = 0; time < times; time++) {
    const random = randomStream(seed, `power/${r}/${cell.gain}/${discordance}/${strata}/${time}`);
    const opening = await gate({
      ...request,
      options: { ...request.options, cap: most },
      nextBlocks: freshBlocks(outcomes, { strata, cap: most, random }),
    });
    const { decision } = decide({ opening, findings: [], observe: false });
    pairs[time] = decision === "promote" ? opening.pairs : Number.POSITIVE_INFINITY;
    if (opening.outcome === "futile") futile += 1;
  }
  return { fixed, pairs: pairs.sort(), futile };
}

function gainsOf({ gain, discordance, strata }: PowerCell): number[] {
  const spread = Math.min(0.5, discordance / gain - 1);
  return Array.from({ length: strata }, (_, index) =>
    strata === 1 ? gain : gain * (1 + spread * ((2 * index) / (strata - 1) - 1)),
  );
}

/** The number of items within which that share of the openings was promoted. */
export function quantile({ pairs }: Pick<PowerPlayed, "pairs">, share: number): number {
  return pairs[Math.ceil(share * pairs.length) - 1] as number;
}
