import { describe, expect, test } from "vitest";
import { randomStream } from "../base/index.ts";
import { type StratumSample, stratifiedMean } from "./stratified.ts";

const alike = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

describe("stratifiedMean", () => {
  test("weighs strata, and knows what was measured whole", () => {
    const strata: StratumSample[] = [
      { weight: 3, values: alike(10, 1), whole: true },
      { weight: 1, values: alike(50, 0), whole: true },
    ];
    expect(stratifiedMean(strata, [0, 1])).toEqual({ mean: 0.75, interval: { low: 0.75, high: 0.75 } });
  });

  test("is unsure where all answers agreed, and says so within what is possible", () => {
    const { mean, interval } = stratifiedMean([{ weight: 1, values: alike(128, 1), whole: false }], [0, 1]);
    expect(mean).toBe(1);
    expect(interval.high).toBe(1);
    expect(interval.low).toBeGreaterThan(0.96);
    expect(interval.low).toBeLessThan(0.99);
  });

  test("of what is always right is 1, in however many strata", () => {
    for (let strata = 1; strata <= 20; strata++) {
      const all = Array.from({ length: strata }, () => ({ weight: 1, values: alike(128, 1), whole: false }));
      expect(stratifiedMean(all, [0, 1]).mean).toBe(1);
    }
  });

  test("leaves out what weighs nothing, refuses what weighs and was not seen", () => {
    const empty: StratumSample = { weight: 0, values: [], whole: false };
    expect(stratifiedMean([empty, { weight: 1, values: [1, 0], whole: true }], [0, 1]).mean).toBe(0.5);
    expect(() => stratifiedMean([{ ...empty, weight: 1 }], [0, 1])).toThrow(RangeError);
    expect(() => stratifiedMean([empty], [0, 1])).toThrow(RangeError);
  });

  // Rates of better and worse by stratum. 4,000 intervals: the standard error of a coverage of .95 is .0035.
  test.each([
    [
      "alike",
      [
        [0.2, 0.1],
        [0.2, 0.1],
        [0.2, 0.1],
      ],
      64,
    ],
    [
      "opposed",
      [
        [0.6, 0],
        [0, 0.6],
        [0.05, 0.05],
      ],
      64,
    ],
    [
      "nearly all agree",
      [
        [0.01, 0.01],
        [0.02, 0],
        [0, 0],
      ],
      64,
    ],
    [
      "few items",
      [
        [0.4, 0.1],
        [0.1, 0.1],
        [0.9, 0],
      ],
      16,
    ],
  ] as const)("covers a paired difference: %s", (_, rates, items) => {
    const random = randomStream(5, `coverage/${_}`);
    const truth = rates.reduce((sum, [better, worse]) => sum + better - worse, 0) / rates.length;
    const runs = 4000;
    let covered = 0;
    for (let run = 0; run < runs; run++) {
      const strata = rates.map(([better, worse]) => ({
        weight: 1,
        whole: false,
        values: Array.from({ length: items }, () => {
          const draw = random.uniform();
          return draw < better ? 1 : draw < better + worse ? -1 : 0;
        }),
      }));
      const { interval } = stratifiedMean(strata, [-1, 1]);
      if (interval.low <= truth && truth <= interval.high) covered += 1;
    }
    expect(covered / runs).toBeGreaterThan(0.94);
  });
});
