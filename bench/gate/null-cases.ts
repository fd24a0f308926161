import type { Pair } from "whetstone";
import { freshBlocks, loss, type NextBlocks, type Outcomes, tie, win, winsAndLosses } from "./blocks.ts";
import type { NullCase } from "./null-case.ts";
import { learnsFromBits, probesFirst, reusedFile } from "./reused-file.ts";

/** Of the openings of a run in turn: from models that hardly differ to models that differ on every item. */
const discordances = [0.1, 0.25, 0.45, 1] as const;

function everyOpening(outcomesAt: (discordance: number, strata: number) => Outcomes): NullCase {
  return ({ strata, cap, random }) => {
    const outcomes = discordances.map((discordance) => outcomesAt(discordance, strata));
    return {
      open: (opening) => ({
        nextBlocks: freshBlocks(outcomes[opening % outcomes.length] as Outcomes, { strata, cap, random }),
        reused: false,
        withoutGain: true,
      }),
      told: () => {},
    };
  };
}

/** As often better as worse, in every stratum. */
export const zeroEffect = everyOpening((discordance) =>
  winsAndLosses(() => ({ better: discordance / 2, worse: discordance / 2 })),
);

const allTies = everyOpening(() => ({ palette: [tie], draw: () => 0 }));

/** One stratum only gains, another only loses, and the pooled mean is zero; of a single stratum, one half of the items and the other. */
export const opposedStrata = everyOpening((discordance, strata) => {
  const lean = { better: discordance, worse: 0 };
  const against = { better: 0, worse: discordance };
  const neither = { better: discordance / 2, worse: discordance / 2 };
  return winsAndLosses((stratum) =>
    strata % 2 === 1 && stratum === strata - 1 ? neither : stratum % 2 === 0 ? lean : against,
  );
});

const samples = 4;
const propensities = [0.05, 0.5, 0.95] as const;

/**
 * Four samples of each item on both sides, which lean the same way because the item is easy or hard for a model. They are averaged
 * first, as the gate asks; with `averaged: false` each stands for an item of its own, and that is wrong.
 */
export function correlatedSamples({ averaged }: { readonly averaged: boolean }): NullCase {
  return ({ strata, cap, random }) => {
    const palette = Array.from(
      { length: 2 * samples + 1 },
      (_, index): Pair => ({ difference: index / samples - 1, void: false }),
    );
    const solved = (): boolean[] => {
      const propensity = random.pick(propensities);
      return Array.from({ length: samples }, () => random.uniform() < propensity);
    };
    const item = (): Pair[] => {
      const [candidate, champion] = [solved(), solved()];
      return candidate.map((right, index) => (right === champion[index] ? tie : right ? win : loss));
    };
    const open = (): NextBlocks => {
      if (averaged) return freshBlocks({ palette, draw: drawAverage }, { strata, cap, random });
      let left = Math.floor(cap / (strata * samples));
      return async (count) => {
        const blocks = Array.from({ length: Math.min(count, left) }, () => ({
          pairs: Array.from({ length: strata }, item).flat(),
        }));
        left -= blocks.length;
        return blocks;
      };
    };
    return {
      open: () => ({ nextBlocks: open(), reused: false, withoutGain: true }),
      told: () => {},
    };
  };
}

/** Right answers of the candidate minus those of the champion, of four each: drawn from its exact distribution. */
const drawAverage: Outcomes["draw"] = (() => {
  const chances = new Float64Array(2 * samples + 1);
  const choose = [1, 4, 6, 4, 1];
  const mass = (right: number, p: number): number =>
    (choose[right] as number) * p ** right * (1 - p) ** (samples - right);
  for (const p of propensities)
    for (const q of propensities)
      for (let mine = 0; mine <= samples; mine++)
        for (let other = 0; other <= samples; other++)
          chances[mine - other + samples] =
            (chances[mine - other + samples] as number) +
            (mass(mine, p) * mass(other, q)) / propensities.length ** 2;
  return (random) => {
    let drawn = random.uniform();
    for (let index = 0; index < 2 * samples; index++) {
      drawn -= chances[index] as number;
      if (drawn < 0) return index;
    }
    return 2 * samples;
  };
})();

/** The candidate fails to answer half of what it would lose, and little else: what is void counts as lost all the same. */
export const selectiveVoids = everyOpening((discordance) => ({
  palette: [win, loss, tie, { difference: -1, void: true }],
  draw: (random) => {
    const drawn = random.uniform();
    const outcome = drawn < discordance / 2 ? 0 : drawn < discordance ? 1 : 2;
    return random.uniform() < (outcome === 1 ? 0.5 : 0.02) ? 3 : outcome;
  },
}));

/** 125 items for every opening, and someone who makes each candidate from what the gate has said of those before. */
export const reusedLearning = reusedFile(learnsFromBits);
export const reusedProbing = reusedFile(probesFirst);

export const nullCases: Readonly<Record<string, NullCase>> = {
  "zero effect": zeroEffect,
  "all ties": allTies,
  "opposite effects in two strata": opposedStrata,
  "correlated samples of an item": correlatedSamples({ averaged: true }),
  "voids that depend on the candidate": selectiveVoids,
  "a reused file, an adversary learns from the bits": reusedLearning,
  "a reused file, an adversary buys bits with true gains": reusedProbing,
};
