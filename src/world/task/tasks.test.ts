import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import { itemOf } from "./items.ts";
import { tasks } from "./tasks.ts";
import { verdictOf } from "./verdict.ts";

test("every task is listed under its own name", () => {
  for (const [name, make] of Object.entries(tasks)) expect(make().name).toBe(name);
});

describe.each(Object.entries(tasks))("%s", (_name, make) => {
  const task = make();
  const [low, high] = task.difficulty.base;

  property.prop([
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.boolean(),
    fc.nat(),
    fc.integer({ min: low, max: high }),
  ])(
    "whatever a model writes is scored, and 0 where it was cut off",
    async (text, complete, seed, difficulty) => {
      const item = itemOf(task, task.generate(difficulty, randomStream(seed, "any")));
      const verdict = await verdictOf(task, item, { text, complete });
      expect(verdict.outcome).toBe("scored");
      if (!complete) expect(verdict).toEqual({ outcome: "scored", score: 0 });
    },
  );

  property.prop([fc.nat(), fc.integer({ min: low, max: high })])(
    "a prompt alone decides the verdict: no reference answer does",
    async (seed, difficulty) => {
      const random = randomStream(seed, "reference");
      const item = itemOf(task, task.generate(difficulty, random));
      const misled = { ...item, answer: "misleading" };
      const text = task.demonstrate(misled, random);
      expect(await verdictOf(task, misled, { text, complete: true })).toEqual({
        outcome: "scored",
        score: 1,
      });
      expect(await verdictOf(task, misled, { text: "misleading", complete: true })).toMatchObject({
        score: 0,
      });
    },
  );

  test("its options are what the protocol hash needs: scalars, all of them stated", () => {
    for (const value of Object.values(task.options))
      expect(["string", "number", "boolean"]).toContain(typeof value);
    expect(Object.keys(task.options).length).toBeGreaterThan(0);
  });
});
