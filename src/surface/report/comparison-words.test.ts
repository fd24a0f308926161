import { expect, test } from "vitest";
import type { Measurement } from "../../foundation/contract/index.ts";
import type { Comparison } from "../../loop/run.ts";
import { comparisonWords } from "./comparison-words.ts";

const measurementOf = (mean: number): Measurement => ({
  weightVersion: "w",
  split: "audit",
  strata: [],
  mean,
  interval: { low: mean - 0.05, high: mean + 0.05 },
  frontier90: null,
  frontier50: null,
});
const gainAt = (mean: number) => ({ mean, interval: { low: mean - 0.1, high: mean + 0.1 }, pairs: 200 });
const comparisonOf = (mean: number, better: Comparison["better"]): Comparison => ({
  a: {
    run: "1-sums",
    round: 0,
    checkpoint: "c",
    harness: "greedy decoding",
    measurement: measurementOf(0.4),
  },
  b: {
    run: null,
    round: null,
    checkpoint: "/m",
    harness: "best of n",
    measurement: measurementOf(0.4 + mean),
  },
  split: "audit",
  items: 1200,
  gain: gainAt(mean),
  strata: [
    {
      stratum: "sum",
      difficulty: 1,
      before: 0.4,
      after: 0.4 + mean,
      gain: gainAt(mean),
      won: 50,
      lost: 10,
      enumerated: false,
      counts: true,
    },
    {
      stratum: "product",
      difficulty: 2,
      before: 1,
      after: 1,
      gain: gainAt(0),
      won: 0,
      lost: 0,
      enumerated: true,
      counts: false,
    },
  ],
  better,
  sameWeights: false,
  warning: "Beware.",
});

test("who is better, by how much, and in which parts", () => {
  expect(comparisonWords(comparisonOf(0.2, "b"), ["base", "./other"])).toEqual([
    "b is better: +20.0 points (95 % interval +10.0 to +30.0, 200 pairs)",
    "",
    "a  base of 1-sums, the base, greedy decoding: 40.0 % right (35.0 % to 45.0 %)",
    "b  ./other, best of n: 60.0 % right (55.0 % to 65.0 %)",
    "",
    "part       items        a        b  b - a   95 % interval  won/lost",
    "sum          200   40.0 %   60.0 %  +20.0  +10.0 to +30.0     50/10",
    "product *    200  100.0 %  100.0 %   +0.0  -10.0 to +10.0       0/0",
    "* not in the gain: outside the target distribution, or every item there is",
    "",
    "1,200 audit items, answered by both; differences are b minus a on the same item.",
    "Beware.",
  ]);
});

test.each([
  [-0.2, "a", "a is better: b gives -20.0 points ("],
  [0.05, "not-shown", "No difference is shown: +5.0 points ("],
] as const)("%d points", (mean, better, words) => {
  expect(comparisonWords(comparisonOf(mean, better), ["a", "b"])[0]).toContain(words);
});

test.each([
  [
    "greedy decoding",
    "a and b are the same weights and answer in the same way: there is nothing to compare.",
  ],
  ["best of n", "a and b are the same weights: what differs is how they answer."],
])("the same weights, b by %s", (harness, sentence) => {
  const comparison = { ...comparisonOf(0, "not-shown"), sameWeights: true };
  expect(comparisonWords({ ...comparison, b: { ...comparison.b, harness } }, ["a", "b"])[1]).toBe(sentence);
});
