import { describe, expect, test } from "vitest";
import { exactInterval } from "./interval.ts";

describe("exactInterval", () => {
  // From scipy.stats.binomtest(k, n).proportion_ci(.95, "exact"), SciPy 1.17.1.
  test.each([
    [0, 10, 0, 0.30849710781876294],
    [1, 10, 0.0025285785444625728, 0.44501611702819543],
    [9, 10, 0.5549838829718047, 0.9974714214555375],
    [10, 10, 0.6915028921812371, 1],
    [50, 100, 0.39832112950330095, 0.6016788704966991],
    [2040, 2048, 0.9923177128184438, 0.9983120961184657],
    [3, 4096, 0.000151068475362977, 0.0021389410873817903],
  ])("%i of %i", (successes, trials, low, high) => {
    const interval = exactInterval(successes, trials);
    expect(interval.low).toBeCloseTo(low, 12);
    expect(interval.high).toBeCloseTo(high, 12);
  });

  test("knows nothing without trials, and refuses what is no count", () => {
    expect(exactInterval(0, 0)).toEqual({ low: 0, high: 1 });
    expect(() => exactInterval(3, 2)).toThrow(RangeError);
    expect(() => exactInterval(0.5, 2)).toThrow(RangeError);
  });
});
