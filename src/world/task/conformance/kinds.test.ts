import { describe, expect, test } from "vitest";
import type { Stratum, Task } from "../../../foundation/contract/index.ts";
import { arithmetic } from "../arithmetic.ts";
import { probedStrata } from "./check.ts";
import { declares, inStratum } from "./items.ts";

const kinds = ["product", "sum", "difference"] as const;
const sound = arithmetic({ kinds, product: [1, 50], sum: [1, 50], difference: [1, 50] });

function withScale(change: Partial<Task["difficulty"]>): Task {
  return { ...sound, difficulty: { ...sound.difficulty, ...change } };
}

function numbered(...numbers: number[]): Task {
  const strata = sound.strata.map((stratum, index): Stratum => {
    return { ...stratum, difficulty: numbers[index] ?? 0 };
  });
  return { ...sound, strata };
}

describe("a task of kinds", () => {
  test("numbers them from 1, and its scale spans them", () => {
    expect(() => declares(sound)).not.toThrow();
  });

  test.each([
    ["a base of some kinds only", withScale({ base: [1, 2] }), /from 1 to 3, .* it is 1, 2, 3, 3/],
    ["kinds to grow towards", withScale({ base: [1, 2], growTo: 2 }), /have no order/],
    [
      "numbers that begin at 0",
      { ...numbered(0, 1, 2), difficulty: { ...sound.difficulty, base: [0, 2], growTo: 2, measureTo: 2 } },
      /have no order/,
    ],
    [
      "numbers with a gap",
      { ...numbered(1, 3, 4), difficulty: { ...sound.difficulty, base: [1, 4], growTo: 4, measureTo: 4 } },
      /have no order/,
    ],
  ] as const)("does not have %s", (_fault, task, says) => {
    expect(() => declares(task as Task)).toThrow(says);
  });

  test("may have such numbers where they are an order", () => {
    expect(() => declares(withScale({ base: [1, 2], ordered: true }))).not.toThrow();
  });

  test("is looked at in all its kinds, those in the middle too", async () => {
    expect(probedStrata(sound).map(({ name }) => name)).toEqual(kinds);
    const astray: Task = {
      ...sound,
      generate: (kind, random) => ({
        ...sound.generate(kind, random),
        ...(kind === 2 ? { difficulty: 3 } : {}),
      }),
    };
    await expect((async () => inStratum(astray))()).rejects.toThrow(/drawn for sum, has difficulty 3/);
  });
});
