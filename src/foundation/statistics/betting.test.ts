import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { randomStream } from "../base/index.ts";
import { betGrid, Wealth } from "./betting.ts";
import { spentAt } from "./spending.ts";

const differences = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 });

describe("Wealth", () => {
  property.prop([differences])("is the average over the grid of the products of its factors", (values) => {
    const wealth = new Wealth({ than: "greater", mean: 0 });
    wealth.bet(values);
    const products = betGrid.map((lambda) => values.reduce((product, d) => product * (1 + lambda * d), 1));
    const expected = products.reduce((sum, one) => sum + one, 0) / betGrid.length;
    expect(wealth.value / expected).toBeCloseTo(1, 9);
  });

  property.prop([differences, fc.nat()])("does not depend on how blocks are cut", (values, cut) => {
    const whole = new Wealth({ than: "less", mean: 0.01 });
    whole.bet(values);
    const parts = new Wealth({ than: "less", mean: 0.01 });
    parts.bet(values.slice(0, cut % values.length));
    parts.bet(values.slice(cut % values.length));
    expect(parts.value / whole.value).toBeCloseTo(1, 9);
  });

  test("mirrors: a loss is to one side what a gain is to the other", () => {
    const up = new Wealth({ than: "greater", mean: 0.01 });
    const down = new Wealth({ than: "less", mean: -0.01 });
    up.bet([1, 0.5, -0.25, 0]);
    down.bet([-1, -0.5, 0.25, 0]);
    expect(down.value).toBeCloseTo(up.value, 12);
  });

  test("refuses bets that could ruin it, and differences that are none", () => {
    expect(() => new Wealth({ than: "greater", mean: 0.06 })).toThrow(RangeError);
    expect(() => new Wealth({ than: "less", mean: -0.06 })).toThrow(RangeError);
    const wealth = new Wealth({ than: "greater", mean: 0 });
    expect(() => wealth.bet([1.5])).toThrow(RangeError);
    expect(() => wealth.bet([Number.NaN])).toThrow(RangeError);
  });

  // Ville: under a mean of 0 the chance to ever reach 20 is at most .05; here with two strata that lean opposite ways.
  test("seldom grows without a gain, though strata lean opposite ways", () => {
    const random = randomStream(11, "null");
    const runs = 2000;
    let crossed = 0;
    for (let run = 0; run < runs; run++) {
      const wealth = new Wealth({ than: "greater", mean: 0 });
      for (let block = 0; block < 200; block++) {
        wealth.bet([random.uniform() < 0.3 ? 1 : 0, random.uniform() < 0.3 ? -1 : 0]);
        if (wealth.value >= 20) {
          crossed += 1;
          break;
        }
      }
    }
    expect(crossed / runs).toBeLessThanOrEqual(0.05);
  });

  test("grows where there is a gain", () => {
    const random = randomStream(12, "gain");
    const wealth = new Wealth({ than: "greater", mean: 0 });
    for (let block = 0; block < 300; block++)
      wealth.bet([random.uniform() < 0.15 ? 1 : random.uniform() < 0.06 ? -1 : 0]);
    expect(wealth.value).toBeGreaterThan(1000);
  });
});

test("what all openings spend adds up to α", () => {
  let spent = 0;
  for (let opening = 1; opening <= 100_000; opening++) spent += spentAt(opening, 0.05);
  expect(spent).toBeLessThan(0.05);
  expect(spent).toBeGreaterThan(0.0499);
  expect(() => spentAt(0, 0.05)).toThrow(RangeError);
});
