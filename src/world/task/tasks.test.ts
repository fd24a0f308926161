import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { Task } from "../../foundation/contract/index.ts";
import {
  addition,
  copy,
  drawItems,
  enumerateItems,
  itemOf,
  parity,
  reverse,
  runCanaries,
  splitOf,
  verdictOf,
} from "./index.ts";

const tasks: readonly (readonly [string, Task])[] = [
  ["reverse", reverse()],
  ["copy", copy({ alphabet: "abc" })],
  ["addition, plain", addition({ form: "plain" })],
  ["addition, reversed", addition({ form: "reversed" })],
  ["addition, interleaved", addition({ form: "interleaved" })],
  ["parity", parity()],
  ["parity without steps", parity({ writtenOut: 0 })],
];

describe.each(tasks)("%s", (_name, task) => {
  const random = randomStream(7, "items");
  const [low, high] = task.difficulty.base;

  test("its verifier passes its canaries", () => runCanaries(task));

  test("every demonstration is right, and written in the task's characters", () => {
    for (let index = 0; index < 200; index++) {
      const item = itemOf(task, task.generate(random.integer(low, high), random));
      const text = task.demonstrate(item, random);
      expect(verdictOf(task, item, { text, complete: true })).toEqual({ outcome: "scored", score: 1 });
      expect([...item.prompt, ...text].every((character) => task.characters.includes(character))).toBe(true);
      expect(text.length).toBeLessThan(task.maxTokens(item));
    }
  });

  test("a canonical form never lies in two splits", () => {
    const seen = new Map<string, string>();
    for (let index = 0; index < 2000; index++) {
      const item = itemOf(task, task.generate(high, random));
      expect(seen.get(item.canonical) ?? item.split).toBe(item.split);
      seen.set(item.canonical, item.split);
    }
  });

  property.prop([fc.string({ maxLength: 40 }), fc.boolean()])("any text gets a verdict", (text, complete) => {
    const item = itemOf(task, task.generate(high, randomStream(text, "any")));
    const verdict = verdictOf(task, item, { text, complete });
    expect(verdict.outcome).toBe("scored");
    if (!complete) expect(verdict).toEqual({ outcome: "scored", score: 0 });
  });
});

test("splits hold 50, 10, 25 and 15 percent", () => {
  const counts = { train: 0, validation: 0, decision: 0, audit: 0 };
  for (let index = 0; index < 20_000; index++)
    counts[splitOf({ name: "reverse", version: 1 }, `${index}=`)] += 1;
  // Five standard deviations of a binomial share at 20,000 items are at most 1.8 points.
  expect(counts.train / 20_000).toBeCloseTo(0.5, 1);
  expect(Math.abs(counts.validation / 20_000 - 0.1)).toBeLessThan(0.011);
  expect(Math.abs(counts.decision / 20_000 - 0.25)).toBeLessThan(0.016);
  expect(Math.abs(counts.audit / 20_000 - 0.15)).toBeLessThan(0.013);
});

test("splits are what they always were: another key would leak what was held out", () => {
  const task = { name: "reverse", version: 1 };
  const splits = ["1234=", "5678=", "90909=", "123456789="].map((text) => splitOf(task, text));
  expect(splits).toMatchInlineSnapshot(`
    [
      "validation",
      "decision",
      "train",
      "decision",
    ]
  `);
});

test("draws are of the split that was asked for, distinct, and the same for the same stream", () => {
  const draw = () =>
    drawItems({
      task: reverse(),
      difficulty: 6,
      split: "decision",
      count: 300,
      random: randomStream(1, "draw"),
    });
  const items = draw();
  expect(items.every(({ split }) => split === "decision")).toBe(true);
  expect(new Set(items.map(({ canonical }) => canonical)).size).toBe(300);
  expect(draw()).toEqual(items);
});

test("a split that is used up says so", () => {
  const task = reverse();
  expect(() =>
    drawItems({ task, difficulty: 4, split: "validation", count: 2000, random: randomStream(1, "all") }),
  ).toThrow(/about 1000 validation items of length 4/);
});

test("enumerated strata are whole and have no split", () => {
  const items = enumerateItems(reverse(), 2);
  expect(new Set(items.map(({ canonical }) => canonical)).size).toBe(100);
  expect(items.every(({ split }) => split === "none")).toBe(true);
  expect(enumerateItems(addition(), 1)).toHaveLength(55);
});

test("a commuted sum is the same item", () => {
  for (const form of ["plain", "reversed", "interleaved"] as const) {
    const task = addition({ form });
    const stream = randomStream(3, form);
    const drawn = Array.from({ length: 4000 }, () => task.generate(1, stream));
    expect(new Set(drawn.map(({ prompt }) => prompt)).size).toBe(100);
    expect(new Set(drawn.map((problem) => task.canonical(problem))).size).toBe(55);
  }
});

test("a verifier that errs is found before anything is learnt from it", () => {
  const task: Task = {
    ...reverse(),
    verifier: { name: "yes", version: 1, verify: () => ({ outcome: "scored", score: 1 }) },
  };
  expect(() => runCanaries(task)).toThrow(/accepted the wrong answer/);
});

test("a range that falls is refused", () => {
  expect(() => reverse({ lengths: [1, 8], growTo: 4 })).toThrow(/must rise/);
  expect(() => reverse({ length: [1, 2] } as never)).toThrow(/did you mean "lengths"/);
});
