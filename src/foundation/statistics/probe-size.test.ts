import { expect, test } from "vitest";
import { randomStream } from "../base/index.ts";
import { Wealth } from "./betting.ts";
import { pairsToProtect } from "./probe-size.ts";

const usual = { margin: 0.05, level: 0.05, discordance: 0.1, cap: 4000 };

test("a wider margin, fewer differences and a laxer level need fewer pairs", () => {
  const needed = pairsToProtect(usual) ?? 0;
  expect(needed).toBeGreaterThan(300);
  expect(needed).toBeLessThan(800);
  expect(pairsToProtect({ ...usual, margin: 0.1 })).toBeLessThan(needed / 2);
  expect(pairsToProtect({ ...usual, discordance: 0.02 })).toBeLessThan(needed / 2);
  expect(pairsToProtect({ ...usual, level: 0.2 })).toBeLessThan(needed);
});

test("where two models never differ, each pair multiplies wealth by a known factor", () => {
  const pairs = pairsToProtect({ ...usual, discordance: 0 }) ?? 0;
  const after = (count: number): number => {
    const wealth = new Wealth({ than: "greater", mean: -usual.margin });
    wealth.bet(Array.from({ length: count }, () => 0));
    return wealth.value;
  };
  expect(after(pairs)).toBeGreaterThanOrEqual(20);
  expect(after(pairs - 1)).toBeLessThan(20);
});

test("more than the cap is not looked for: the example of two points at a quarter", () => {
  expect(pairsToProtect({ ...usual, margin: 0.02, discordance: 0.25 })).toBeNull();
  expect(pairsToProtect({ margin: 0.02, level: 0.05, discordance: 0.1, cap: 4000 })).toBe(3526);
});

test("with so many pairs a bet is won about four times in five", () => {
  const needed = pairsToProtect(usual) ?? 0;
  const random = randomStream(7, "other walks");
  let won = 0;
  for (let walk = 0; walk < 400; walk++) {
    const wealth = new Wealth({ than: "greater", mean: -usual.margin });
    for (let pair = 0; pair < needed; pair++) {
      const drawn = random.uniform();
      wealth.bet([drawn < 0.05 ? 1 : drawn < 0.1 ? -1 : 0]);
      if (wealth.value < 20) continue;
      won += 1;
      break;
    }
  }
  // Two estimates, each with a standard error of two points.
  expect(won / 400).toBeGreaterThan(0.71);
  expect(won / 400).toBeLessThan(0.89);
});
