import type { RandomStream } from "../../foundation/base/index.ts";
import type { Example } from "../../foundation/contract/index.ts";
import { inEpochs } from "./order.ts";
import type { ExampleCounts, OlderSet, Replay } from "./part.ts";

/** An example of an older set, which is not read yet. */
export interface OlderPlace {
  readonly set: OlderSet;
  readonly place: number;
}

export type Drawn = Example | OlderPlace;

/** Draws the examples of an optimiser step. */
export type Draw = (random: RandomStream, step: number) => Drawn[];

export interface Shares {
  /** Examples of a batch. */
  readonly batch: number;
  /** Share of the newest set. */
  readonly newest: number;
  /** Weight of the base data among the others; an older set weighs 1. */
  readonly base: number;
}

/**
 * Shares with so much more of what no model wrote: the newest set's share is divided by the factor, the base data's weight
 * multiplied by it. Where there are no base data there is nothing to add.
 */
export function withMoreReal(shares: Shares, { base }: Pick<Replay, "base">, factor: number): Shares {
  if (factor === 1 || base.length === 0) return shares;
  return { ...shares, newest: shares.newest / factor, base: Math.max(shares.base, 1) * factor };
}

/** Optimiser steps that so many passes over the newest set take, or over the base data where that is all there is. */
export function stepsOfEpochs(
  epochs: number,
  { newest, base }: ExampleCounts,
  batch: number,
  share: number,
): number {
  const fromNewest = newestOf(newest, share, batch);
  if (fromNewest > 0) return Math.ceil((epochs * newest) / fromNewest);
  return share === 1 ? 0 : Math.ceil((epochs * base) / batch);
}

/** Examples of each batch that come from the newest set. */
function newestOf(newest: number, share: number, batch: number): number {
  return newest === 0 ? 0 : Math.round(batch * share);
}

/**
 * Draws batches in epochs: every newest example once before any of them a second time, in another order each time; the rest
 * of a batch is drawn as {@link mixture} does. Without newest examples the base data are gone through so, if they have a share.
 */
export function epochMixture(
  newest: readonly Example[],
  replay: Replay,
  shares: Shares,
  random: RandomStream,
): Draw {
  const fromNewest = newestOf(newest.length, shares.newest, shares.batch);
  const instead = shares.newest === 1 ? [] : replay.base;
  const [set, each] = fromNewest > 0 ? [newest, fromNewest] : [instead, shares.batch];
  const rest = mixture([], replay, { ...shares, batch: shares.batch - each, newest: 0 });
  const at = inEpochs(set, random);
  return (stepRandom, step) =>
    set.length === 0
      ? []
      : [...Array.from({ length: each }, (_, index) => at(step * each + index)), ...rest(stepRandom, step)];
}

/**
 * Draws batches with replacement: first which set, by weight, then which example. An empty set loses its share to the
 * others; one that was given no share gets none so.
 */
export function mixture(newest: readonly Example[], replay: Replay, shares: Shares): Draw {
  const olderSets = replay.older.filter((set) => set.length > 0);
  const others =
    shares.newest === 1
      ? []
      : [
          ...(replay.base.length > 0 && shares.base > 0 ? [{ set: replay.base, weight: shares.base }] : []),
          ...olderSets.map((set) => ({ set, weight: 1 })),
        ];
  const total = others.reduce((sum, { weight }) => sum + weight, 0);
  const fromNewest =
    newest.length === 0 || shares.newest === 0
      ? 0
      : others.length === 0
        ? shares.batch
        : Math.round(shares.batch * shares.newest);
  return (random) => {
    const drawn: Drawn[] = [];
    for (let index = 0; index < shares.batch; index++) {
      if (index < fromNewest) drawn.push(random.pick(newest));
      else if (others.length > 0) {
        const set = setAt(others, random.uniform() * total);
        drawn.push("read" in set ? { set, place: random.integer(0, set.length - 1) } : random.pick(set));
      }
    }
    return drawn;
  };
}

type WeighedSet = readonly Example[] | OlderSet;

function setAt(sets: readonly { set: WeighedSet; weight: number }[], point: number): WeighedSet {
  let left = point;
  for (const { set, weight } of sets) {
    left -= weight;
    if (left < 0) return set;
  }
  return sets.at(-1)?.set ?? [];
}
