import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { AcquireContext, Source } from "../../foundation/contract/index.ts";
import { parity, reverse, splitOf } from "../../world/task/index.ts";
import { acquire, demonstrations, procedural } from "./index.ts";

const task = reverse({ lengths: [2, 8], growTo: 16, measureTo: 18 });
const contextOf = (rest: Partial<AcquireContext> = {}): AcquireContext => ({
  task,
  round: 1,
  random: randomStream(3, "acquire"),
  trainedTo: 8,
  frontier: 9,
  ...rest,
});

describe("acquire", () => {
  test("fills one pool from all sources, each from numbers of its own", async () => {
    const sources = [demonstrations({ items: 5 }), procedural({ items: 6 }), procedural({ items: 7 })];
    const { items, demonstrations: shown } = await acquire(sources, contextOf());
    expect([items.length, shown.length]).toEqual([13, 5]);
    expect(new Set(items.map(({ canonical }) => canonical)).size).toBe(13);
    const alone = await acquire(sources.slice(0, 1), contextOf());
    expect(alone.demonstrations).toEqual(shown);
    expect(await acquire(sources, contextOf())).toEqual({ items, demonstrations: shown });
    expect(await acquire([], contextOf())).toEqual({ items: [], demonstrations: [] });
  });

  test("ends between sources when it is asked to", async () => {
    const controller = new AbortController();
    const source: Source = {
      name: "slow",
      description: {},
      mostItems: 0,
      acquire: async () => {
        controller.abort(new Error("enough"));
        return { items: [], demonstrations: [] };
      },
    };
    await expect(acquire([source, source], contextOf({ signal: controller.signal }))).rejects.toThrow(
      "enough",
    );
  });
});

describe("demonstrations", () => {
  test("are training items of the base, each difficulty as likely, rightly answered", async () => {
    const { demonstrations: shown, items } = await demonstrations({ items: 1400 }).acquire(contextOf());
    expect(items).toEqual([]);
    const counts = new Map<number, number>();
    for (const { item, response } of shown) {
      expect(await task.verifier.verify(item, { text: response, complete: true })).toMatchObject({
        score: 1,
      });
      if (item.split === "none") expect(item.difficulty).toBeLessThanOrEqual(3);
      else expect([item.split, splitOf("reverse", task.version, item.canonical)]).toEqual(["train", "train"]);
      counts.set(item.difficulty, (counts.get(item.difficulty) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([2, 3, 4, 5, 6, 7, 8]);
    // Expected 200 each; the standard deviation is 13.
    for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(60);
  });

  test("can be drawn without end, and the same again from the same numbers", () => {
    const source = demonstrations({ items: 5 });
    const draw = (seed: number, count: number) =>
      source.draw?.(task, count, randomStream(seed, "draw")) ?? [];
    expect(draw(1, 300)).toHaveLength(300);
    expect(draw(1, 300)).toEqual(draw(1, 300));
    expect(draw(2, 300)).not.toEqual(draw(1, 300));
    expect(source.mostItems).toBe(0);
    expect(() => demonstrations({ items: 0 })).toThrow(/"items"/);
  });
});

describe("procedural", () => {
  const drawn = async (options: Parameters<typeof procedural>[0], context: Partial<AcquireContext> = {}) => {
    const { items, demonstrations: shown } = await procedural(options).acquire(contextOf(context));
    expect(shown).toEqual([]);
    expect(new Set(items.map(({ canonical }) => canonical)).size).toBe(items.length);
    return { difficulties: [...new Set(items.map(({ difficulty }) => difficulty))], items };
  };

  test.each<[string, Parameters<typeof procedural>[0], Partial<AcquireContext>, number]>([
    ["one more than was trained", { difficulty: "next" }, { trainedTo: 11 }, 12],
    ["next stops at growTo", { difficulty: "next" }, { trainedTo: 16 }, 16],
    ["one more than is solved", { difficulty: "frontier + 1" }, { frontier: 12 }, 13],
    ["the frontier stops at growTo", { difficulty: "frontier + 1" }, { frontier: 18 }, 16],
    ["the least where nothing is solved", { difficulty: "frontier + 1" }, { frontier: null }, 2],
    ["a fixed one, whatever was trained", { difficulty: 18 }, { trainedTo: 3 }, 18],
  ])("%s", async (_, options, context, difficulty) => {
    const { difficulties, items } = await drawn({ ...options, items: 40 }, context);
    expect(difficulties).toEqual([difficulty]);
    expect(items).toHaveLength(40);
    for (const { split } of items) expect(split).toBe(difficulty <= 3 ? "none" : "train");
  });

  test("brings what there is where there is less", async () => {
    const { items } = await drawn({ difficulty: 2, items: 2048 });
    expect(items).toHaveLength(100);
    const { items: half } = await drawn({ difficulty: 4, items: 9000 });
    expect(half.length).toBeGreaterThan(4700);
    expect(half.length).toBeLessThan(5300);
    expect(new Set(half.map(({ split }) => split))).toEqual(new Set(["train"]));
  });

  test("of a task with one difficulty it is always that one", async () => {
    const bits = parity({ bits: 16 });
    for (const difficulty of ["next", "frontier + 1"] as const) {
      const { difficulties } = await drawn(
        { difficulty, items: 3 },
        { task: bits, trainedTo: 16, frontier: null },
      );
      expect(difficulties).toEqual([16]);
    }
  });

  test.each([
    [{ difficulty: "nex" }, /"difficulty": expected one of "next"\|"frontier \+ 1" or number/],
    [{ difficulty: 0.5 }, /"difficulty"/],
    [{ items: 0 }, /"items"/],
    [{ item: 3 }, /did you mean "items"/],
  ])("refuses %o", (options, message) => {
    expect(() => procedural(options as object)).toThrow(message);
  });

  test("a fixed difficulty that the task has not is refused before a run", () => {
    expect(() => procedural({ difficulty: 19 }).check?.(task)).toThrow(
      expect.objectContaining({ code: "no-such-stratum" }),
    );
    expect(() => procedural({ difficulty: 18 }).check?.(task)).not.toThrow();
    expect(() => procedural().check?.(task)).not.toThrow();
  });
});
