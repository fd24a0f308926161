import { expect, test } from "vitest";
import { percent, points, signedPoints } from "./words.ts";

test.each([
  [0.0512, "+5.1"],
  [-0.0512, "-5.1"],
  [0, "+0.0"],
  [-0.0001, "+0.0"],
])("a difference of %d is %s points", (difference, words) => {
  expect(signedPoints(difference)).toBe(words);
});

test("a percentage", () => {
  expect(percent(0.61)).toBe("61.0 %");
  expect(percent(0.9, 0)).toBe("90 %");
});

test("a gain without a sign", () => {
  expect(points(0.1518)).toBe("15.2 points");
});
