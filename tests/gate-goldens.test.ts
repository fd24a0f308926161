import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { normalQuantile } from "../bench/gate/distributions.ts";
import { exactPairs, normalPairs } from "../bench/gate/fixed-size.ts";
import { expectedOverstatement } from "../bench/gate/winners-curse.ts";
import {
  chanceToShow,
  exactInterval,
  spentAt,
  spentOnReusedAt,
  Wealth,
} from "../src/foundation/statistics/index.ts";

interface Goldens {
  readonly exactIntervals: readonly Record<"successes" | "trials" | "low" | "high", number>[];
  readonly spending: readonly Record<"opening" | "fresh" | "reused", number>[];
  /** Logarithms of wealth. */
  readonly wealth: readonly (Record<"greater" | "less" | "lessByThree", number> & {
    readonly name: string;
    readonly differences: readonly number[];
  })[];
  readonly fixedSize: readonly Record<
    "alpha" | "discordance" | "gain" | "quantile" | "normal" | "exact",
    number
  >[];
  readonly powerOfBets: readonly Record<"gain" | "pairs" | "alpha" | "discordance" | "chance", number>[];
  readonly overstatements: readonly Record<"candidates" | "items" | "overstatement", number>[];
}

const goldens = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures", "gate-goldens.json"), "utf8"),
) as Goldens;

/** Equal to so many parts of the golden number. */
function expectClose(value: number, golden: number, tolerance = 1e-9): void {
  expect(Math.abs(value - golden), `${value} for ${golden}`).toBeLessThanOrEqual(
    tolerance * Math.max(Math.abs(golden), 1e-3),
  );
}

describe("as SciPy has it", () => {
  test.each(goldens.exactIntervals)(
    "the exact interval of $successes in $trials",
    ({ successes, trials, low, high }) => {
      const interval = exactInterval(successes, trials);
      expectClose(interval.low, low);
      expectClose(interval.high, high);
    },
  );

  test.each(goldens.spending)("what opening $opening spends", ({ opening, fresh, reused }) => {
    expectClose(spentAt(opening, 0.05), fresh, 1e-12);
    expect(spentOnReusedAt(opening, 0.05) / reused).toBeCloseTo(1, 12);
  });

  test.each(goldens.wealth)(
    "the wealth of $name, bet on at once and one by one",
    ({ differences, ...golden }) => {
      const bets = [
        { options: { than: "greater", mean: 0 }, log: golden.greater },
        { options: { than: "less", mean: 0.01 }, log: golden.less },
        { options: { than: "less", mean: 0.03 }, log: golden.lessByThree },
      ] as const;
      for (const { options, log } of bets) {
        const [whole, parts] = [new Wealth(options), new Wealth(options)];
        whole.bet(differences);
        for (const difference of differences) parts.bet([difference]);
        expectClose(Math.log(whole.value), log);
        expect(parts.value).toBe(whole.value);
      }
    },
  );

  test.each(goldens.fixedSize)(
    "the items of a fixed-size test for a gain of $gain at $discordance, level $alpha",
    ({ alpha, discordance, gain, quantile, normal, exact }) => {
      expectClose(normalQuantile(alpha), quantile, 1e-10);
      expect(normalPairs({ alpha, discordance, gains: [gain] })).toBe(normal);
      expect(exactPairs({ alpha, discordance, gains: [gain] })).toBe(exact);
    },
  );

  test.each(goldens.powerOfBets)(
    "how often a bet shows a gain of $gain in $pairs pairs",
    ({ chance, gain, ...options }) => {
      expectClose(chanceToShow(gain, options), chance);
    },
  );

  test.each(goldens.overstatements)(
    "by how much the best of $candidates by $items items overstates itself",
    ({ overstatement, ...contest }) => {
      expectClose(expectedOverstatement(contest), overstatement);
    },
  );
});
