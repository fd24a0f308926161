import { expect, test } from "vitest";
import { featureParts, parts } from "./extensions.ts";

const itself = (cost: number): number => cost;

test("what is divided stays in order, within both limits, and none is left out for its size", () => {
  expect(parts([3, 3, 3, 9, 1, 1, 1], itself, { members: 2, cost: 6 })).toEqual([
    [3, 3],
    [3],
    [9],
    [1, 1],
    [1],
  ]);
  expect(parts([3, 4], itself, { members: 2, cost: 6 })).toEqual([[3], [4]]);
  expect(parts([], itself, { members: 2, cost: 6 })).toEqual([]);
});

test("fewer examples go together the more numbers each is answered with, and the longer they are", () => {
  const example = (length: number) => ({
    chunks: [{ kind: "tokens" as const, tokens: new Int32Array(length) }],
    inputs: new Map(),
  });
  const sizes = (count: number, length: number, dimensions: number): number[] =>
    featureParts(
      Array.from({ length: count }, () => example(length)),
      dimensions,
    ).map((part) => part.length);
  expect(sizes(5, 10, 64)).toEqual([5]);
  expect(sizes(5, 10, 2 ** 21)).toEqual([2, 2, 1]);
  expect(sizes(2, 10, 2 ** 23)).toEqual([1, 1]);
  expect(sizes(3, 2 ** 16, 64)).toEqual([2, 1]);
});
