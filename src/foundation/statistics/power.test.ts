import { expect, test } from "vitest";
import { chanceToShow, smallestGain } from "./power.ts";
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

test("without a gain it is shown at most as often as the level says", () => {
  expect(chanceToShow(0, { pairs: 2000, alpha: 0.05, discordance: 0.45 })).toBeLessThanOrEqual(0.07);
});
