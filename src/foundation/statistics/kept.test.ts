import { expect, test } from "vitest";
import { filterIntegrity, keptGap, shareOf } from "./kept.ts";

test("a share has its exact interval, and nothing has no share", () => {
  // SciPy 1.16, binomtest(3, 10).proportion_ci(method="exact").
  expect(shareOf(3, 10)?.interval.low).toBeCloseTo(0.06673951, 7);
  expect(shareOf(3, 10)?.interval.high).toBeCloseTo(0.65245285, 7);
  expect(shareOf(0, 0)).toBeNull();
});

test("the gap is what the kept are truer than all", () => {
  const gap = keptGap({ right: 600, rightKept: 540, wrong: 400, wrongKept: 60 });
  expect(gap?.value).toBeCloseTo(540 / 600 - 600 / 1000, 12);
  expect(gap?.interval.low).toBeGreaterThan(0.25);
  expect(gap?.interval.high).toBeLessThan(0.35);
});

test("a filter that drops at random has no gap that is shown, one that drops nothing has none at all", () => {
  const random = keptGap({ right: 600, rightKept: 300, wrong: 400, wrongKept: 200 });
  expect(random?.value).toBeCloseTo(0, 12);
  expect(random?.interval.low).toBeLessThan(0);
  expect(random?.interval.high).toBeGreaterThan(0);
  expect(keptGap({ right: 6, rightKept: 6, wrong: 4, wrongKept: 4 })).toEqual({
    value: 0,
    interval: { low: 0, high: 0 },
  });
  expect(keptGap({ right: 6, rightKept: 0, wrong: 4, wrongKept: 0 })).toBeNull();
});

test.each([
  ["a perfect verifier", 1, 0, 1],
  ["a coin", 0.5, 0.5, 0.5],
  ["an inverted one", 0, 1, 0],
])("%s breaks down at its share of wrong answers", (_, phi, psi, breakdown) => {
  const found = filterIntegrity({
    right: 1000,
    rightKept: 1000 * phi,
    wrong: 1000,
    wrongKept: 1000 * psi,
  });
  expect(found?.breakdown.value).toBe(breakdown);
  expect(found?.telling.value).toBe(phi - psi);
  expect(found?.breakdown.low).toBeLessThanOrEqual(breakdown);
  expect(found?.telling.low).toBeLessThanOrEqual(phi - psi);
});

test("the bound holds: a filter at its breakdown is found below it no oftener than it may", () => {
  // φ = .8, ψ = .2, 40 of each: over all outcomes, the chance that the bound lies above the true p* of .8 is at most .05.
  const chance = (kept: number, share: number): number => {
    let log = 0;
    for (let index = 1; index <= kept; index++) log += Math.log((40 - kept + index) / index);
    return Math.exp(log + kept * Math.log(share) + (40 - kept) * Math.log1p(-share));
  };
  let above = 0;
  for (let rightKept = 0; rightKept <= 40; rightKept++)
    for (let wrongKept = 0; wrongKept <= 40; wrongKept++) {
      const found = filterIntegrity({ right: 40, rightKept, wrong: 40, wrongKept });
      if ((found?.breakdown.low ?? 1) > 0.8) above += chance(rightKept, 0.8) * chance(wrongKept, 0.2);
    }
  expect(above).toBeGreaterThan(0);
  expect(above).toBeLessThan(0.05);
});
