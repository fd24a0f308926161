import { describe, expect, test } from "vitest";
import type { Task } from "../../../foundation/contract/index.ts";
import { copy, parity, reverse } from "../../../world/task/index.ts";
import { blockParts, decisionItemsOf, planBlocks } from "./block-parts.ts";

/** Reverse from length 5, where decision items are many, with these weights. */
const weighted = (...weights: number[]): Task => {
  const task = reverse({ lengths: [5, 5], growTo: 4 + weights.length, measureTo: 4 + weights.length });
  return {
    ...task,
    strata: task.strata.map((stratum, index) => ({ ...stratum, weight: weights[index] ?? 0 })),
  };
};
const gateOf = (cap: number) => ({ cap, alpha: 0.05 });
const countsOf = (task: Task, cap = 4000): number[] =>
  blockParts(task, gateOf(cap)).map(({ count }) => count);

describe("blockParts", () => {
  test.each([
    [
      [1, 2, 5],
      [1, 2, 5],
    ],
    [
      [3, 3],
      [1, 1],
    ],
    [
      [0.5, 0.75],
      [2, 3],
    ],
    [
      [0.1, 0.2, 0.5],
      [1, 2, 5],
    ],
    [
      [1 / 3, 1],
      [1, 3],
    ],
    [
      [1, 1.1],
      [10, 11],
    ],
    [
      [100, 25],
      [4, 1],
    ],
    [
      [1, 255],
      [1, 255],
    ],
  ])("weights %j make blocks of %j", (weights, counts) => {
    expect(countsOf(weighted(...weights))).toEqual(counts);
  });

  test("a stratum that weighs nothing stands in no block", () => {
    expect(blockParts(weighted(1, 0, 2), gateOf(4000)).map(({ strata }) => strata[0]?.name)).toEqual([
      "length 5",
      "length 7",
    ]);
  });

  test.each([
    ["irrational", [1, Math.SQRT2]],
    ["too far apart for one block", [1, 256]],
    ["with too fine a measure", [1, 1.001]],
  ])("weights that are %s are refused", (_, weights) => {
    expect(() => countsOf(weighted(...weights))).toThrow(
      expect.objectContaining({ code: "gate-cannot-open", category: "user" }),
    );
    expect(() => countsOf(weighted(...weights))).toThrow(
      /no common measure .* use whole numbers such as 1, 2 and 5/,
    );
  });

  test("strata whose decision items are few are measured only", () => {
    const parts = blockParts(reverse({ lengths: [1, 8], growTo: 10, measureTo: 12 }), gateOf(4000));
    expect(parts.map(({ strata }) => strata[0]?.difficulty)).toEqual([5, 6, 7, 8, 9, 10]);
    expect(blockParts(parity({ bits: 16 }), gateOf(4000))).toMatchObject([
      { count: 1, strata: [{ difficulty: 16 }] },
    ]);
  });

  test("a task without one is refused, and told what to do", () => {
    for (const task of [reverse({ lengths: [1, 3], growTo: 3 }), parity({ bits: 8 })]) {
      expect(() => countsOf(task)).toThrow(expect.objectContaining({ code: "gate-cannot-open" }));
      expect(() => countsOf(task)).toThrow(/with decision items.*mode: "observe"/);
      expect(planBlocks(task, gateOf(4000))).toMatchObject({ obstacle: expect.stringContaining(task.name) });
    }
  });

  test("where all strata are too small for fresh items, theirs are reused", () => {
    const small = reverse({ lengths: [1, 3], growTo: 4 });
    expect(planBlocks(small, gateOf(4000))).toMatchObject({ reused: true, parts: [{ count: 1 }] });
    const { pairs } = planBlocks(small, gateOf(4000)) as { pairs: number };
    expect(pairs).toBeGreaterThan(2000);
    expect(pairs).toBeLessThanOrEqual(2500);
    expect(planBlocks(small, gateOf(100))).toMatchObject({ reused: true, pairs: 100 });
    expect(planBlocks(reverse(), gateOf(4000))).toMatchObject({ reused: false, pairs: 4000 });
  });

  test("what was reused once stays reused, however many there are by now", () => {
    expect(planBlocks(reverse(), gateOf(4000), { reusedBefore: true })).toMatchObject({ reused: true });
  });

  test("the strata of a file are one pool, whatever they weigh", () => {
    const task = weighted(1, Math.SQRT2);
    const splits = { train: 50, validation: 10, decision: 25, audit: 15 };
    const listed = { ...task, strata: task.strata.map((stratum) => ({ ...stratum, splits })) };
    expect(planBlocks(listed, gateOf(4000))).toEqual({
      reused: true,
      pairs: 50,
      parts: [{ strata: listed.strata, count: 1 }],
    });
  });

  test("so few decision items that nothing could be shown are refused, and how many there must be is said", () => {
    const task = weighted(1);
    const file = (decision: number): Task => ({
      ...task,
      strata: task.strata.map((stratum) => ({
        ...stratum,
        splits: { train: 2 * decision, validation: 1, decision, audit: 1 },
      })),
    });
    expect(() => blockParts(file(2), gateOf(4000))).toThrow(
      /has 2 decision items, and even .* only by (\d+): give it at least \d+ items/,
    );
    const needed = Number(
      /only by (\d+)/.exec((planBlocks(file(2), gateOf(4000)) as { obstacle: string }).obstacle)?.[1],
    );
    expect(() => blockParts(file(needed - 1), gateOf(4000))).toThrow(/gate/);
    expect(blockParts(file(needed), gateOf(4000))).toHaveLength(1);
    // Twelve bets of at most .95 each: 1.95^n on one of them at best.
    expect(needed).toBeGreaterThan(5);
    expect(needed).toBeLessThan(12);
  });

  test("a cap that holds no block is refused", () => {
    expect(countsOf(weighted(1, 2, 5), 8)).toEqual([1, 2, 5]);
    expect(() => countsOf(weighted(1, 2, 5), 7)).toThrow(
      /compares 8 items .* gate\.cap allows 7 pairs: raise gate\.cap/,
    );
  });
});

test("decision items are a task's and its version's", () => {
  expect(decisionItemsOf(reverse({ lengths: [1, 3] }))).toBe(decisionItemsOf(reverse({ lengths: [1, 9] })));
  expect(decisionItemsOf(copy())).not.toBe(decisionItemsOf(reverse()));
  expect(decisionItemsOf({ name: "x", version: 2 })).toBe("x@2");
});
