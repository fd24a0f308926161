import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { warmupStableDecay } from "./schedule.ts";

test("rises over the first tenth, stays, and falls over the last fifth to one hundredth", () => {
  const rates = Array.from({ length: 100 }, (_, step) => warmupStableDecay(step, 100));
  expect(rates.slice(0, 10).map((rate) => Math.round(100 * rate))).toEqual([
    10, 20, 30, 40, 50, 60, 70, 80, 90, 100,
  ]);
  expect(new Set(rates.slice(9, 80))).toEqual(new Set([1]));
  expect(rates[80]).toBeCloseTo(0.01 + 0.99 * (19 / 20), 12);
  expect(rates[99]).toBe(0.01);
  const falls = rates.slice(80).map((rate, index) => (rates[79 + index] ?? 0) - rate);
  for (const fall of falls) expect(fall).toBeCloseTo(0.99 / 20, 12);
});

property.prop([fc.integer({ min: 1, max: 400 })])("never exceeds the peak, and never reaches 0", (steps) => {
  const rates = Array.from({ length: steps }, (_, step) => warmupStableDecay(step, steps));
  for (const rate of rates) expect(rate > 0 && rate <= 1).toBe(true);
  expect(Math.max(...rates)).toBe(1);
  if (steps > 1) expect(rates.at(-1)).toBe(0.01);
});
