import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import { type Item, splitSchema, type Task } from "../../foundation/contract/index.ts";
import { addition } from "./addition.ts";
import { type DrawRequest, drawItems } from "./draw.ts";
import { stratumAt } from "./items.ts";
import { parity } from "./parity.ts";
import { reverse } from "./reverse.ts";
import { itemsInSplit } from "./splits.ts";

const task = reverse();
const request = (changes: Partial<DrawRequest> = {}): DrawRequest => ({
  task,
  difficulty: 6,
  split: "decision",
  count: 300,
  random: randomStream(1, "draw"),
  ...changes,
});
const canonicals = (items: readonly Item[]): string[] => items.map(({ canonical }) => canonical);

/** How far counts are from equal: Pearson's statistic. */
function unevenness(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

function timesDrawn(items: readonly Item[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const { canonical } of items) times.set(canonical, (times.get(canonical) ?? 0) + 1);
  return times;
}

describe("a draw", () => {
  test.each(splitSchema.options)("of %s items gives them alone, each once", (split) => {
    const items = drawItems(request({ split }));
    expect(items).toHaveLength(300);
    expect(items.every((item) => item.split === split && item.stratum === "length 6")).toBe(true);
    expect(new Set(canonicals(items)).size).toBe(300);
  });

  test("is the same for the same stream, and another for another", () => {
    expect(drawItems(request())).toEqual(drawItems(request()));
    const other = canonicals(drawItems(request({ random: randomStream(2, "draw") })));
    expect(other).not.toEqual(canonicals(drawItems(request())));
  });

  property.prop([fc.nat(), fc.integer({ min: 4, max: 12 }), fc.constantFrom(...splitSchema.options)])(
    "one by one, without what was drawn before, is a draw at once",
    (seed, difficulty, split) => {
      const options = { difficulty, split };
      const atOnce = drawItems(request({ ...options, count: 20, random: randomStream(seed, "draw") }));
      const random = randomStream(seed, "draw");
      const taken = new Set<string>();
      const oneByOne = Array.from({ length: 20 }, () => {
        const exclude = (canonical: string): boolean => taken.has(canonical);
        const [item] = drawItems(request({ ...options, count: 1, random, exclude })) as [Item];
        taken.add(item.canonical);
        return item;
      });
      expect(oneByOne).toEqual(atOnce);
    },
  );

  test("leaves out what is used", () => {
    const used = new Set(canonicals(drawItems(request())));
    const items = drawItems(request({ exclude: (canonical) => used.has(canonical) }));
    expect(items.filter(({ canonical }) => used.has(canonical))).toEqual([]);
  });

  test("is long where it was asked for: the example", () => {
    const random = randomStream(0, "validation");
    const items = drawItems({ task: reverse(), difficulty: 9, split: "validation", count: 128, random });
    expect(items.filter(({ split, difficulty }) => split === "validation" && difficulty === 9)).toHaveLength(
      128,
    );
  });

  test("of nothing is empty", () => {
    expect(drawItems(request({ count: 0 }))).toEqual([]);
  });

  test("names the generator as source", () => {
    expect(drawItems(request({ count: 1 }))[0]?.source).toBe("generator:reverse@1");
  });
});

describe("draws are uniform", () => {
  test("over an enumerated stratum", () => {
    const times = timesDrawn(
      drawItems(request({ difficulty: 2, split: "train", count: 20_000, distinct: false })),
    );
    expect(times.size).toBe(100);
    // Exceeded by chance once in ten thousand, at 99 degrees of freedom.
    expect(unevenness([...times.values()])).toBeLessThan(160);
  });

  test("over a split", () => {
    const subject = parity({ bits: 10 });
    const whole = drawItems(
      request({ task: subject, difficulty: 10, split: "train", count: 1024, orFewer: true }),
    );
    const times = timesDrawn(
      drawItems(request({ task: subject, difficulty: 10, split: "train", count: 20_000, distinct: false })),
    );
    expect(new Set(times.keys())).toEqual(new Set(canonicals(whole)));
    // Five standard deviations of a chi-square above its mean; there are about 512 items.
    const freedom = whole.length - 1;
    expect(unevenness([...times.values()])).toBeLessThan(freedom + 5 * Math.sqrt(2 * freedom));
  });
});

describe("an enumerated stratum", () => {
  const small = (changes: Partial<DrawRequest>): Item[] => drawItems(request({ difficulty: 1, ...changes }));

  test("gives all its items to every split", () => {
    for (const split of splitSchema.options) {
      const items = small({ split, count: 10 });
      expect(canonicals(items).toSorted()).toEqual([..."0123456789"]);
      expect(items.every((item) => item.split === "none")).toBe(true);
    }
  });

  test("begins again when every item was drawn", () => {
    const items = small({ count: 25 });
    expect(new Set(canonicals(items.slice(0, 10))).size).toBe(10);
    expect(new Set(canonicals(items.slice(10, 20))).size).toBe(10);
    expect(new Set(canonicals(items.slice(20))).size).toBe(5);
  });

  test("begins again without what is used", () => {
    const items = small({ count: 24, exclude: (canonical) => canonical !== "7" && canonical !== "8" });
    expect([...timesDrawn(items)].toSorted()).toEqual([
      ["7", 12],
      ["8", 12],
    ]);
  });

  test("gives what it has, once, where fewer are enough", () => {
    expect(canonicals(small({ count: 25, orFewer: true })).toSorted()).toEqual([..."0123456789"]);
    expect(small({ count: 25, orFewer: true, exclude: () => true })).toEqual([]);
  });

  test("in which all is used says so", () => {
    expect(() => small({ count: 3, exclude: () => true })).toThrow(
      "reverse: length 1 has 10 items, of which 0 could be drawn, and 3 different ones that are not used yet were asked for. Ask for fewer, or for a difficulty that has more.",
    );
  });
});

describe("a split that is used up", () => {
  test("is known before anything is drawn", () => {
    const random = randomStream(1, "untouched");
    const before = random.state();
    expect(() => drawItems(request({ difficulty: 4, split: "validation", count: 2000, random }))).toThrow(
      "reverse: length 4 has about 1,000 validation items (10,000 in all splits), and 2,000 different ones were asked for. Ask for fewer, or for a difficulty that has more.",
    );
    expect(random.state()).toEqual(before);
  });

  test("says how many could be drawn", () => {
    const options = { difficulty: 4, split: "validation" } as const;
    const whole = drawItems(request({ ...options, count: 5000, orFewer: true }));
    expect(whole.length).toBeGreaterThan(900);
    expect(whole.length).toBeLessThan(1100);
    expect(new Set(canonicals(whole)).size).toBe(whole.length);
    expect(drawItems(request({ ...options, count: whole.length }))).toHaveLength(whole.length);
    try {
      drawItems(request({ ...options, count: whole.length + 1 }));
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        code: "items-exhausted",
        category: "user",
        details: { task: "reverse", stratum: "length 4", split: "validation", found: whole.length },
      });
    }
  });

  test("gives as many as it is said to hold at least", () => {
    for (const split of splitSchema.options) {
      const count = itemsInSplit(stratumAt(task, 4), split);
      expect(drawItems(request({ difficulty: 4, split, count }))).toHaveLength(count);
    }
  });

  test("finds the last unused item", () => {
    const whole = canonicals(
      drawItems(request({ difficulty: 4, split: "audit", count: 5000, orFewer: true })),
    );
    const [last, ...others] = whole;
    const used = new Set(others);
    const exclude = (canonical: string): boolean => used.has(canonical);
    for (const distinct of [true, false]) {
      const items = drawItems(request({ difficulty: 4, split: "audit", count: 1, exclude, distinct }));
      expect(canonicals(items)).toEqual([last]);
    }
    expect(() => drawItems(request({ difficulty: 4, split: "audit", count: 2, exclude }))).toThrow(
      /of which 1 could be drawn, and 2 different ones that are not used yet/,
    );
  });

  test("is no error where items may repeat, unless there is none", () => {
    const options = { difficulty: 4, split: "validation", count: 3000, distinct: false } as const;
    expect(drawItems(request(options))).toHaveLength(3000);
    expect(() => drawItems(request({ ...options, exclude: () => true }))).toThrow(
      /of which 0 could be drawn, and 3,000 that are not used yet were asked for/,
    );
  });

  test("has all its items found, also where some are half as likely as others", () => {
    const sums = addition({ form: "plain" });
    const found = splitSchema.options.flatMap((split) =>
      drawItems(request({ task: sums, difficulty: 2, split, count: 5000, orFewer: true })),
    );
    expect(new Set(canonicals(found)).size).toBe(sums.strata[1]?.distinct);
  });
});

test("a generator that never gives an item of its own is given up", () => {
  const stuck: Task = { ...task, generate: () => ({ prompt: "123456=", difficulty: 6 }) };
  const split = drawItems(request({ count: 1, task: stuck, split: "decision", orFewer: true })).length;
  // 123456 is a decision item, so that audit stays empty.
  expect(split).toBe(1);
  expect(() => drawItems(request({ count: 1, task: stuck, split: "audit" }))).toThrow(
    /of which 0 could be drawn/,
  );
});

test("a difficulty that the task does not have is refused", () => {
  expect(() => drawItems(request({ difficulty: 19 }))).toThrow(/no stratum "length 19"/);
});
