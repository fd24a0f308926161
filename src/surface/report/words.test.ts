import { expect, test } from "vitest";
import { compact, duration, figure, listRounds, oneOf } from "./words.ts";

test.each([
  [0, "0 s"],
  [0.42, "0.4 s"],
  [9.96, "10 s"],
  [59.4, "59 s"],
  [59.6, "1 min 00 s"],
  [221, "3 min 41 s"],
  [3599.7, "1 h 00 min"],
  [7320, "2 h 02 min"],
  [Number.NaN, "0 s"],
])("%d seconds are %s", (seconds, words) => {
  expect(duration(seconds)).toBe(words);
});

test.each([
  [812, "812"],
  [12_431, "12.4 k"],
  [999_600, "1.0 M"],
  [3_100_000, "3.1 M"],
  [2.5e9, "2.5 G"],
])("%d in short is %s", (count, words) => {
  expect(compact(count)).toBe(words);
});

test.each([
  [0, "0"],
  [2.4e-6, "2.4e-6"],
  [0.0034, "0.0034"],
  [0.30396, "0.304"],
  [412.3, "412"],
  [1612.4, "1,612"],
  [3.2e9, "3.2e9"],
  [Number.POSITIVE_INFINITY, "very large"],
])("the figure of %d is %s", (value, words) => {
  expect(figure(value)).toBe(words);
});

test.each([
  [[3], "3"],
  [[5, 3], "3 and 5"],
  [[2, 3, 4, 8], "2-4 and 8"],
  [[1, 2, 4, 6, 7, 8], "1, 2, 4 and 6-8"],
  [[], ""],
])("rounds %j are said as %s", (rounds, words) => {
  expect(listRounds(rounds)).toBe(words);
});

test.each([
  ["length", "length"],
  ["digits", "number of digits"],
  ["class", "class"],
])("one of %s is a %s", (unit, one) => {
  expect(oneOf(unit)).toBe(one);
});
