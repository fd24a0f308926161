import { describe, expect, test } from "vitest";
import { openGate } from "whetstone";
import { controls } from "../bench/gate/controls.ts";
import { logFactorialsTo, massOf } from "../bench/gate/distributions.ts";
import type { Gate } from "../bench/gate/gates.ts";
import type { NullCase } from "../bench/gate/null-case.ts";
import {
  correlatedSamples,
  nullCases,
  opposedStrata,
  selectiveVoids,
  zeroEffect,
} from "../bench/gate/null-cases.ts";
import {
  alpha,
  bars,
  falseRuns,
  type PowerCell,
  playPower,
  powerCells,
  quantile,
} from "../bench/gate/play.ts";
import { expectedOverstatement, playContest } from "../bench/gate/winners-curse.ts";
import { randomStream } from "../src/foundation/base/index.ts";
import { spentAt } from "../src/foundation/statistics/index.ts";

/**
 * `npm run bench:gate`, smaller: its bars are asked for as they are, of streams whose seed is fixed. What the bench found of whole
 * histories is held against its bars, and against this gate, in gate-record.test.ts.
 */
const seed = "simulation";
const [runs, times] = [80, 60];
/** Fewer pairs than the gate has by default: enough to show a gain that there is not. */
const cap = 400;
/** Most of α is spent at the first openings, so that many runs of these are cheap. */
const early = { runs: 600, openings: 4 };
/** Three, which a gate of one and of many is right of, the bench plays too. */
const strataCounts = [1, 18];
const spentEarly = Array.from({ length: early.openings }, (_, index) => spentAt(index + 1, alpha)).reduce(
  (sum, one) => sum + one,
  0,
);

/** P(X ≥ least) for X binomial. */
function atLeast(least: number, trials: number, share: number): number {
  const logFactorials = logFactorialsTo(trials);
  let sum = 0;
  for (let count = least; count <= trials; count++) sum += massOf(count, trials, share, logFactorials);
  return sum;
}

/** So many of 80 whole histories have less than one chance in a thousand where α of all are wrong. */
const tooMany = (wrong: number): boolean => atLeast(wrong, runs, alpha) < 0.001;

const falseEarly = (nullCase: NullCase, strata: number, gate: Gate = openGate): Promise<number> =>
  falseRuns({ case: nullCase, gate, strata, runs: [0, early.runs], seed, cap, first: early.openings });

async function missedBars(cell: PowerCell, gate: Gate = openGate): Promise<string[]> {
  const played = await playPower(cell, { gate, times, seed });
  return [
    ...(quantile(played, 0.5) <= bars.median * played.fixed ? [] : ["median"]),
    ...(quantile(played, 0.8) <= bars.p80 * played.fixed ? [] : ["80th percentile"]),
  ];
}

describe("runs of fifty openings without a true gain", () => {
  const cells = Object.entries(nullCases).flatMap(([name, nullCase]) =>
    strataCounts.map((strata) => ({ name, nullCase, strata })),
  );

  test.each(cells)("at most α of them ever promote: $name, strata: $strata", async ({ nullCase, strata }) => {
    const wrong = await falseRuns({ case: nullCase, gate: openGate, strata, runs: [0, runs], seed, cap });
    expect(tooMany(wrong), `${wrong} of ${runs} runs`).toBe(false);
  });

  const onFreshItems = [zeroEffect, opposedStrata, correlatedSamples({ averaged: true }), selectiveVoids];

  test.each(strataCounts)(
    "in their first openings no more promote than α is spent by then, strata: %i",
    async (strata) => {
      for (const nullCase of onFreshItems)
        expect((await falseEarly(nullCase, strata)) / early.runs).toBeLessThanOrEqual(spentEarly);
    },
  );
});

describe("a true gain", () => {
  const cells = powerCells.filter(({ strata }) => strata === 1);

  test.each(cells)(
    "of $gain at discordance $discordance, opening $r, is shown within its bars in 1 and 18 strata",
    async (cell) => {
      for (const strata of strataCounts) expect(await missedBars({ ...cell, strata })).toEqual([]);
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

  test("one that is wrong twice as often as it promises", async () => {
    const twice: Gate = ({ options, ...request }) =>
      openGate({ ...request, options: { ...options, alpha: 2 * options.alpha } });
    const wrong = await falseEarly(correlatedSamples({ averaged: true }), 1, twice);
    expect(wrong / early.runs).toBeGreaterThan(spentEarly);
  });

  test("one that needs twice as many items", async () => {
    const slow: Gate = async (request) => {
      const opening = await openGate(request);
      return { ...opening, pairs: 2 * opening.pairs };
    };
    const cell = { r: 8, gain: 0.1, discordance: 0.25, strata: 1 };
    expect(await missedBars(cell, slow)).toContain("median");
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
