import { expect, test } from "vitest";
import { cutOffShare, cutOffWords } from "./cut-off.ts";

const measured = (...cutOff: readonly (number | undefined)[]) => ({
  strata: cutOff.map((cut, index) => ({
    stratum: `kind ${index}`,
    difficulty: index,
    items: 50,
    mean: 0,
    voids: 0,
    enumerated: false,
    ...(cut === undefined ? {} : { cutOff: cut }),
  })),
});

test("the share of answers that were cut off is over all of them; what was not counted is none", () => {
  expect(cutOffShare(measured(50, 25))).toBe(0.75);
  expect(cutOffShare(measured(undefined, 25))).toBe(0.25);
  expect(cutOffShare({ strata: [] })).toBe(0);
});

test("a gain over answers that were cut off says so, and one over whole answers does not", () => {
  expect(cutOffWords(measured(50, 50), measured(0, 1))).toMatch(
    /^100 % of the base's answers and 1 % of the champion's were cut off/,
  );
  expect(cutOffWords(measured(2, 2), measured(0, 0))).toBeUndefined();
});
