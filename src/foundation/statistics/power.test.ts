import { expect, test } from "vitest";
import { randomStream } from "../base/random.ts";
import { Wealth } from "./betting.ts";
import { chanceToShow, fewestPairs, smallestGain } from "./power.ts";
import { spentAt } from "./spending.ts";

// Design §8: 500 lines hold 125 decision items; at discordance .25 they show 16 points at the first opening, 21 at the
// fourth (histories of a reused file counted); 5,000 lines show 5 to 8.5.
test.each([
  [125, 1, 0.16],
  [125, 4, 0.21],
  [1250, 1, 0.055],
  [1250, 4, 0.08],
])("%i items at opening %i can show a gain of about %f", (pairs, opening, gain) => {
  const alpha = spentAt(opening, 0.05) / 2 ** (opening - 1);
  const found = smallestGain({ pairs, alpha, discordance: 0.25 });
  expect(found).toBeGreaterThan(gain - 0.02);
  expect(found).toBeLessThan(gain + 0.015);
});

test("too few items can show nothing", () => {
  expect(smallestGain({ pairs: 3, alpha: 0.03, discordance: 0.25 })).toBeNull();
});

test("the fewest pairs that show anything win the bet just when all of them are better", () => {
  for (const alpha of [0.05, 0.03, 0.001]) {
    const pairs = fewestPairs(alpha);
    const wealthAfter = (count: number): number => {
      const wealth = new Wealth({ than: "greater", mean: 0 });
      for (let pair = 0; pair < count; pair++) wealth.bet([1]);
      return wealth.value;
    };
    expect(wealthAfter(pairs)).toBeGreaterThanOrEqual(1 / alpha);
    expect(wealthAfter(pairs - 1)).toBeLessThan(1 / alpha);
  }
});

test("without a gain it is shown at most as often as the level says", () => {
  for (const pairs of [20, 200, 2000])
    expect(chanceToShow(0, { pairs, alpha: 0.05, discordance: 0.45 })).toBeLessThanOrEqual(0.05);
});

test("grows with the gain and with the pairs", () => {
  const at = (gain: number, pairs: number): number =>
    chanceToShow(gain, { pairs, alpha: 0.03, discordance: 0.3 });
  expect(at(0.1, 300)).toBeGreaterThan(at(0.05, 300));
  expect(at(0.1, 600)).toBeGreaterThan(at(0.1, 300));
  expect(at(0.3, 4000)).toBeCloseTo(1, 9);
  expect(at(0.3, 0)).toBe(0);
});

// Every pair discordant and better: shown once (1 + λ)ⁿ, averaged over the grid, reaches 1/α.
test("is certain where every pair is better and there are enough of them", () => {
  const certain = { alpha: 0.05, discordance: 1 - 1e-12 };
  expect(chanceToShow(certain.discordance, { ...certain, pairs: 6 })).toBeCloseTo(0, 9);
  expect(chanceToShow(certain.discordance, { ...certain, pairs: 7 })).toBeCloseTo(1, 9);
  const wealth = new Wealth({ than: "greater", mean: 0 });
  wealth.bet([1, 1, 1, 1, 1, 1]);
  expect(wealth.value).toBeLessThan(20);
  wealth.bet([1]);
  expect(wealth.value).toBeGreaterThan(20);
});

test.each([
  [0.1, 120, 0.3],
  [0.05, 250, 0.1],
  [0, 200, 0.5],
])(
  "agrees with bets that are played: a gain of %d in %i pairs, %d discordant",
  (gain, pairs, discordance) => {
    const random = randomStream(1, `power/${gain}`);
    const plays = 800;
    let shown = 0;
    for (let play = 0; play < plays; play++) {
      const wealth = new Wealth({ than: "greater", mean: 0 });
      for (let pair = 0; pair < pairs && wealth.value < 20; pair++) {
        const draw = random.uniform();
        if (draw < discordance) wealth.bet([draw < (discordance + gain) / 2 ? 1 : -1]);
      }
      if (wealth.value >= 20) shown += 1;
    }
    // Three standard errors of 800 plays are .053.
    expect(Math.abs(chanceToShow(gain, { pairs, alpha: 0.05, discordance }) - shown / plays)).toBeLessThan(
      0.053,
    );
  },
);
