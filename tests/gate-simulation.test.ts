import { describe, expect, test } from "vitest";
import { openGate } from "whetstone";
import { controls } from "../bench/gate/controls.ts";
import { logFactorialsTo, massOf } from "../bench/gate/distributions.ts";
import { nullCases } from "../bench/gate/null-cases.ts";
import { alpha, falseRuns, type PowerCell, playPower, powerCells } from "../bench/gate/play.ts";
import { expectedOverstatement, playContest } from "../bench/gate/winners-curse.ts";
import { randomStream } from "../src/foundation/base/index.ts";

/**
 * `npm run bench:gate`, smaller. What is played is chance, so a bar is missed where what came of it has less than one chance in a
 * thousand under the bar: exactly, by the binomial.
 */
const chance = 0.001;
const seed = "simulation";
const [runs, times] = [80, 60];
/** Fewer pairs than the gate has by default: enough to show a gain that there is not. */
const cap = 400;

/** P(X ≥ least) for X binomial. */
function atLeast(least: number, trials: number, share: number): number {
  const logFactorials = logFactorialsTo(trials);
  let sum = 0;
  for (let count = least; count <= trials; count++) sum += massOf(count, trials, share, logFactorials);
  return sum;
}

/** So many runs of 80 are more than α of all. */
const tooMany = (wrong: number): boolean => atLeast(wrong, runs, alpha) < chance;

/** So few openings of 60 were over within the bar that it is not the share's. */
const tooFew = (within: number, share: number): boolean => atLeast(times - within, times, 1 - share) < chance;

async function missedBars(cell: PowerCell, gate = openGate): Promise<string[]> {
  const { pairs, fixed } = await playPower(cell, { gate, times, seed });
  const within = (bar: number): number => pairs.filter((one) => one <= bar * fixed).length;
  return [
    ...(tooFew(within(1.5), 0.5) ? ["median"] : []),
    ...(tooFew(within(2.5), 0.8) ? ["80th percentile"] : []),
  ];
}

describe("runs of fifty openings without a true gain", () => {
  const cells = Object.entries(nullCases).flatMap(([name, nullCase]) =>
    [1, 3, 18].map((strata) => ({ name, nullCase, strata })),
  );

  test.each(cells)("at most α of them ever promote: $name, strata: $strata", async ({ nullCase, strata }) => {
    const wrong = await falseRuns({ case: nullCase, gate: openGate, strata, runs: [0, runs], seed, cap });
    expect(tooMany(wrong), `${wrong} of ${runs} runs`).toBe(false);
  });
});

describe("a true gain", () => {
  const cells = powerCells.filter(({ strata }) => strata === 1);

  test.each(cells)(
    "of $gain at discordance $discordance, opening $r, is shown within its bars in 1, 3 and 18 strata",
    async (cell) => {
      for (const strata of [1, 3, 18]) expect(await missedBars({ ...cell, strata })).toEqual([]);
    },
  );
});

describe("a gate that is wrong fails these tests", () => {
  test.each(Object.entries(controls))("one that %s", async (_, { gate, case: nullCase }) => {
    if (nullCase === null) {
      const cell = { r: 1, gain: 0.1, discordance: 0.25, strata: 1 };
      expect(await missedBars(cell, gate)).toEqual(["median", "80th percentile"]);
      return;
    }
    const wrong = await falseRuns({ case: nullCase, gate, strata: 1, runs: [0, runs], seed, cap });
    expect(tooMany(wrong), `${wrong} of ${runs} runs`).toBe(true);
  });
});

describe("the winner's curse", () => {
  test.each([
    { items: 16, least: 0.127, most: 0.176 },
    { items: 256, least: 0.032, most: 0.045 },
  ])(
    "by $items items the best of 4 to 8 overstates itself as the closed form says",
    ({ items, least, most }) => {
      const forms = [4, 5, 6, 7, 8].map((candidates) => expectedOverstatement({ candidates, items }));
      expect(Math.min(...forms) - least).toBeGreaterThanOrEqual(0);
      expect(Math.min(...forms) - least).toBeLessThan(0.001);
      expect(most - Math.max(...forms)).toBeGreaterThanOrEqual(0);
      expect(most - Math.max(...forms)).toBeLessThan(0.001);
      for (const [index, expected] of forms.entries()) {
        const contest = { candidates: 4 + index, items };
        const plays = 2000;
        const { naive, audit } = playContest(contest, plays, randomStream(seed, `contest/${index}/${items}`));
        // Five standard errors of one score's mean; the winner's varies less.
        const tolerance = (5 * 0.5) / Math.sqrt(items * plays);
        expect(Math.abs(naive - expected)).toBeLessThan(tolerance);
        expect(Math.abs(audit)).toBeLessThan(tolerance);
        expect(naive).toBeGreaterThan(audit + tolerance);
      }
    },
  );
});
