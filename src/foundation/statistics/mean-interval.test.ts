import { expect, test } from "vitest";
import { meanInterval } from "./mean-interval.ts";

test("is as wide as Student's t says", () => {
  // scipy.stats.t.interval(.95, 4, loc, sem), SciPy 1.17.1.
  const { low, high } = meanInterval([1.2, -0.4, 3.1, 0.7, 2.2]);
  expect(low).toBeCloseTo(-0.3164763195839233, 12);
  expect(high).toBeCloseTo(3.0364763195839233, 12);
});

// scipy.stats.t.ppf(.975, freedom), SciPy 1.17.1.
test.each([
  [1, 12.706204736174694],
  [2, 4.302652729749462],
  [4, 2.7764451051977934],
  [10, 2.228138851986274],
  [40, 2.021075390306273],
  [999, 1.9623414611334493],
  [8000, 1.9602605625503744],
])("has the right quantile for %i degrees of freedom", (freedom, quantile) => {
  const count = freedom + 1;
  const values = Array.from({ length: count }, (_, index) => index % 3);
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const error = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / freedom / count);
  expect((meanInterval(values).high - mean) / error).toBeCloseTo(quantile, 8);
});

test("is a point where all values are one, and refuses a single value", () => {
  expect(meanInterval([2, 2, 2])).toEqual({ low: 2, high: 2 });
  expect(() => meanInterval([2])).toThrow(RangeError);
});
