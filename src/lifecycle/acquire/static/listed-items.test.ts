import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { randomStream } from "../../../foundation/base/index.ts";
import type { AcquireContext, Item, Task } from "../../../foundation/contract/index.ts";
import { dataset, enumerateItems, parity, reverse } from "../../../world/task/index.ts";
import { demonstrations, prompts } from "../index.ts";
import { sharesOfRounds } from "./shares.ts";

/** 300 sums, 60 differences and 6 products. */
async function fileOfKinds(): Promise<Task> {
  const file = join(mkdtempSync(join(tmpdir(), "whetstone-acquire-")), "kinds.jsonl");
  const kindAt = (n: number): string => (n < 300 ? "sums" : n < 360 ? "differences" : "products");
  const rows = Array.from({ length: 366 }, (_, n) => ({ prompt: `${n}?`, answer: `${n}`, kind: kindAt(n) }));
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join("\n"));
  return dataset({ file });
}

let task: Task;
let training: Item[];
beforeAll(async () => {
  task = await fileOfKinds();
  training = [1, 2, 3].flatMap((kind) => enumerateItems(task, kind).filter(({ split }) => split === "train"));
});

const contextOf = (round: number, seed = 3): AcquireContext => ({
  task,
  round,
  random: randomStream(seed, `round-${round}/acquire`),
  trainedTo: 3,
  frontier: null,
});
const canonicals = (items: readonly Item[]): string[] => items.map(({ canonical }) => canonical).sort();
const countOf = (items: readonly Item[], stratum: string): number =>
  items.filter((item) => item.stratum === stratum).length;

describe("prompts of a file", () => {
  test("are training lines, each kind by its weight, and none again before all of its kind have come", async () => {
    const source = prompts({ items: 40 });
    const rounds = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => (await source.acquire(contextOf(index + 1))).items),
    );
    for (const items of rounds) {
      expect(items).toHaveLength(40);
      expect(new Set(canonicals(items)).size).toBe(40);
      expect(Math.abs(countOf(items, "sums") - 32.8)).toBeLessThan(2);
    }
    const met = new Map<string, number>();
    for (const { canonical } of rounds.flat()) met.set(canonical, (met.get(canonical) ?? 0) + 1);
    expect([...met.keys()].sort()).toEqual(canonicals(training));
    for (const kind of ["sums", "differences"]) {
      const times = training
        .filter(({ stratum }) => stratum === kind)
        .map(({ canonical }) => met.get(canonical) ?? 0);
      expect(Math.max(...times) - Math.min(...times)).toBeLessThanOrEqual(1);
    }
    expect(canonicals(rounds[0] ?? [])).not.toEqual(canonicals(rounds[1] ?? []));
  });

  test("are the same again for the same seed and round, and others for another seed", async () => {
    const source = prompts({ items: 40 });
    const [one, same, other] = [
      await source.acquire(contextOf(5)),
      await source.acquire(contextOf(5)),
      await source.acquire(contextOf(5, 4)),
    ];
    expect(same).toEqual(one);
    expect(one.demonstrations).toEqual([]);
    expect(canonicals(other.items)).not.toEqual(canonicals(one.items));
  });

  test("are all of them, once, where more are asked for", async () => {
    for (const round of [1, 2]) {
      const { items } = await prompts({ items: 2000 }).acquire(contextOf(round));
      expect(canonicals(items)).toEqual(canonicals(training));
    }
    expect(prompts().mostItems).toBe(192);
    expect(() => prompts({ items: 0 })).toThrow(/"items"/);
  });
});

test("prompts of a generator are new ones of its target distribution", async () => {
  const strings = reverse({ lengths: [2, 4], growTo: 6, measureTo: 8 });
  const { items } = await prompts({ items: 50 }).acquire({ ...contextOf(2), task: strings });
  const lengths = new Map<number, number>();
  for (const { difficulty } of items) lengths.set(difficulty, (lengths.get(difficulty) ?? 0) + 1);
  expect([...lengths].sort()).toEqual([2, 3, 4, 5, 6].map((length) => [length, 10]));
  for (const { difficulty, split } of items) expect(split).toBe(difficulty <= 3 ? "none" : "train");
  const again = await prompts({ items: 50 }).acquire({ ...contextOf(3), task: strings });
  expect(canonicals(again.items)).not.toEqual(canonicals(items));
  const bits = await prompts({ items: 9 }).acquire({ ...contextOf(1), task: parity() });
  expect(bits.items).toHaveLength(9);
});

describe("demonstrations of a file", () => {
  test("are every training line once, where there are fewer than are asked for", async () => {
    const { demonstrations: shown } = await demonstrations().acquire(contextOf(1));
    expect(canonicals(shown.map(({ item }) => item))).toEqual(canonicals(training));
    for (const { item, response } of shown) expect(response).toBe(item.answer);
    const { demonstrations: some } = await demonstrations({ items: 50 }).acquire(contextOf(1));
    expect(new Set(some.map(({ item }) => item.canonical)).size).toBe(50);
  });

  test("are drawn pass after pass, each kind by its weight", () => {
    const draw = (count: number, seed = 1) =>
      demonstrations().draw?.(task, count, randomStream(seed, "draw")) ?? [];
    const twice = draw(2 * training.length);
    const first = twice.slice(0, training.length).map(({ item }) => item);
    expect(canonicals(first)).toEqual(canonicals(training));
    expect(canonicals(twice.slice(training.length).map(({ item }) => item))).toEqual(canonicals(training));
    expect(draw(16)).toEqual(draw(16));
    const many = Array.from({ length: 200 }, (_, seed) => draw(8, seed).map(({ item }) => item)).flat();
    // Expected 1311 of 1600; the standard deviation is 15.
    expect(Math.abs(countOf(many, "sums") - 1311)).toBeLessThan(75);
    expect(countOf(many, "products")).toBeGreaterThan(5);
  });

  test("of a file without training lines are none", async () => {
    const none = { ...task, enumerate: () => [] };
    expect((await demonstrations().acquire({ ...contextOf(1), task: none })).demonstrations).toEqual([]);
    expect(demonstrations().draw?.(none, 8, randomStream(1, "draw"))).toEqual([]);
  });
});

test("shares add up in every round, and small parts get theirs over all of them", () => {
  const rounds = sharesOfRounds({ weights: [50, 1, 0.5], each: 10, rounds: 103 });
  for (const round of rounds) expect(round.reduce((sum, count) => sum + count, 0)).toBe(10);
  const totals = [0, 1, 2].map((part) => rounds.reduce((sum, round) => sum + (round[part] ?? 0), 0));
  expect(totals).toEqual([1000, 20, 10]);
});
