import { describe, expect, test } from "vitest";
import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import { baseSchema, canaryDifficulties, checkReach, reachShape, scaleOf, strataOf } from "./scale.ts";

const schema = z.strictObject({ digits: baseSchema, ...reachShape }).superRefine(checkReach("digits"));
const read = (options: unknown): unknown => readOptions("sums()", schema, options);

describe("the scale", () => {
  test("reaches twice the base and is measured two further, if nothing else is said", () => {
    expect(scaleOf("digits", [2, 6], {})).toEqual({
      unit: "digits",
      base: [2, 6],
      growTo: 12,
      measureTo: 14,
    });
    expect(scaleOf("digits", [2, 6], { growTo: 7 })).toMatchObject({ growTo: 7, measureTo: 9 });
    expect(scaleOf("digits", [2, 6], { growTo: 7, measureTo: 7 })).toMatchObject({ measureTo: 7 });
  });

  test("may be a single difficulty", () => {
    expect(read({ digits: [3, 3], growTo: 3, measureTo: 3 })).toEqual({
      digits: [3, 3],
      growTo: 3,
      measureTo: 3,
    });
  });

  test.each([
    [{ digits: [8, 1] }, 'option "digits": its first number, 8, is greater than its second, 1.'],
    [{ digits: [1, 8], growTo: 4 }, 'option "growTo": 4 is less than 8, where "digits" ends.'],
    [{ digits: [1, 8], growTo: 12, measureTo: 10 }, 'option "measureTo": 10 is less than "growTo", 12.'],
    [{ digits: [1, 8], measureTo: 10 }, 'option "measureTo": 10 is less than "growTo", 16.'],
    [{ digits: [0, 8] }, /option "digits.0": .*>=1/],
    [{ digits: [1, 1001] }, /option "digits.1": .*<=1000/],
    [{ digits: [1.5, 8] }, /option "digits.0": .*int/],
    [{ digits: [1] }, /option "digits"/],
    [{ digits: [1, 8], growTo: "9" }, /option "growTo": expected number/],
    [{ digits: [1, 8], growT: 9 }, 'there is no option "growT"; did you mean "growTo"?'],
  ])("refuses %o", (options, message) => {
    expect(() => read(options)).toThrow(message);
  });
});

test("strata rise one by one; beyond growTo they have no weight", () => {
  const scale = scaleOf("length", [2, 3], { growTo: 4, measureTo: 6 });
  expect(strataOf(scale, (length) => 10 ** length)).toEqual([
    { name: "length 2", difficulty: 2, distinct: 100, weight: 1 },
    { name: "length 3", difficulty: 3, distinct: 1000, weight: 1 },
    { name: "length 4", difficulty: 4, distinct: 10_000, weight: 1 },
    { name: "length 5", difficulty: 5, distinct: 100_000, weight: 0 },
    { name: "length 6", difficulty: 6, distinct: 1_000_000, weight: 0 },
  ]);
});

test("canaries stand at the least, the middle, the end of the base and the greatest, each once", () => {
  expect(canaryDifficulties(scaleOf("length", [1, 8], {}))).toEqual([1, 5, 8, 18]);
  expect(canaryDifficulties(scaleOf("length", [3, 3], { growTo: 3, measureTo: 3 }))).toEqual([3]);
});
