import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { Item, Task } from "../../foundation/contract/index.ts";
import { taskChecks } from "./conformance/task-checks.ts";
import { itemOf } from "./items.ts";
import { parity } from "./parity.ts";
import { verdictOf } from "./verdict.ts";

const variants: readonly (readonly [string, Task])[] = [
  ["at its defaults", parity()],
  ["with all steps written out", parity({ writtenOut: 1 })],
  ["without steps", parity({ writtenOut: 0 })],
  ["of two bits", parity({ bits: 2, writtenOut: 0.5 })],
  ["of 64 bits", parity({ bits: 64, writtenOut: 0.5 })],
];

describe.each(variants)("%s", (_name, task) => {
  for (const { name, run } of taskChecks(task)) test(name, run);
});

function itemWith(task: Task, prompt: string): Item {
  return itemOf(task, { prompt, difficulty: prompt.length });
}

function demonstrations(writtenOut: number, count: number): string[] {
  const task = parity({ writtenOut });
  const random = randomStream(5, "demonstrations");
  return Array.from({ length: count }, () =>
    task.demonstrate(itemOf(task, task.generate(16, random)), random),
  );
}

test("every running parity, or the last alone", () => {
  const random = randomStream(0, "demonstrate");
  const [withSteps, without] = [parity({ bits: 8, writtenOut: 1 }), parity({ bits: 8, writtenOut: 0 })];
  expect(withSteps.demonstrate(itemWith(withSteps, "10110001"), random)).toBe("11011110");
  expect(without.demonstrate(itemWith(without, "10110001"), random)).toBe("0");
});

test("no steps at all means none, whatever is drawn", () => {
  const least = { ...randomStream(0, "least"), uniform: () => 0 };
  const task = parity({ bits: 4, writtenOut: 0 });
  expect(task.demonstrate(itemWith(task, "1000"), least)).toBe("1");
});

test("as many demonstrations are written out as was asked for", () => {
  const long = (texts: readonly string[]): number => texts.filter((text) => text.length === 16).length;
  expect(long(demonstrations(1, 500))).toBe(500);
  expect(long(demonstrations(0, 500))).toBe(0);
  const mixed = demonstrations(0.15, 4000);
  expect(mixed.every((text) => text.length === 1 || text.length === 16)).toBe(true);
  // Five standard deviations of a binomial count: sqrt(4000 · .15 · .85) is 22.6.
  expect(Math.abs(long(mixed) - 600)).toBeLessThan(113);
});

property.prop([fc.stringMatching(/^[01]{16}$/), fc.stringMatching(/^[01]{0,20}$/)])(
  "any zeros and ones that end with the parity are right, and only those",
  async (prompt, text) => {
    const task = parity();
    const odd = [...prompt].filter((bit) => bit === "1").length % 2;
    const score = text.endsWith(String(odd)) ? 1 : 0;
    const item = itemWith(task, prompt);
    expect(await verdictOf(task, item, { text, complete: true })).toEqual({ outcome: "scored", score });
    expect(await verdictOf(task, item, { text, complete: false })).toEqual({ outcome: "scored", score: 0 });
    expect(await verdictOf(task, item, { text: `${text}x${odd}`, complete: true })).toEqual({
      outcome: "scored",
      score: 0,
    });
  },
);

test("one difficulty: the number of bits", () => {
  expect(parity()).toMatchObject({
    difficulty: { unit: "bits", base: [16, 16], growTo: 16, measureTo: 16 },
    strata: [{ name: "bits 16", difficulty: 16, distinct: 65_536, weight: 1 }],
    options: { bits: 16, writtenOut: 0.15 },
  });
});

test.each(["", "010", "0".repeat(17), "0".repeat(15).concat("2"), "0".repeat(16).concat("\n")])(
  "it does not read %j",
  (prompt) => {
    const task = parity();
    const item = { ...itemWith(task, "0".repeat(16)), prompt };
    expect(() => task.demonstrate(item, randomStream(0, "demonstrate"))).toThrow(/16 zeros and ones/);
    expect(() => task.canonical({ prompt, difficulty: 16 })).toThrow(/16 zeros and ones/);
  },
);

test("options out of range are refused", () => {
  expect(() => parity({ bits: 1 })).toThrow(/parity\(\): option "bits"/);
  expect(() => parity({ bits: 65 })).toThrow(/option "bits"/);
  expect(() => parity({ writtenOut: 1.5 })).toThrow(/option "writtenOut"/);
  expect(() => parity({ writtenout: 1 } as never)).toThrow(/did you mean "writtenOut"/);
});
