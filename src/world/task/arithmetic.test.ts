import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import { arithmetic } from "./arithmetic.ts";
import { taskChecks } from "./conformance/task-checks.ts";
import { drawItems } from "./draw.ts";
import { enumerateItems, itemOf } from "./items.ts";
import { isEnumerated } from "./splits.ts";
import { verdictOf } from "./verdict.ts";

describe.each([
  ["as it comes", arithmetic()],
  ["one kind", arithmetic({ kinds: ["difference"] })],
  ["small", arithmetic({ kinds: ["sum", "product"], product: [3, 3], sum: [0, 9] })],
  ["large", arithmetic({ product: [0, 9999], sum: [1000, 9999], difference: [0, 9999] })],
])("%s", (_name, task) => {
  for (const { name, run } of taskChecks(task)) test(name, run);
});

const prompt = (question: string): string => `What is ${question}? Answer with just the number.`;

test("the default is three kinds of equal weight, the products enumerated and the others split", () => {
  const { strata, difficulty } = arithmetic();
  expect(strata.map(({ name, distinct }) => [name, distinct])).toEqual([
    ["product", 66],
    ["sum", 4950],
    ["difference", 1225],
  ]);
  expect(new Set(strata.map(({ weight }) => weight)).size).toBe(1);
  expect(strata.map(isEnumerated)).toEqual([true, false, false]);
  expect(difficulty).toEqual({ unit: "kind", base: [1, 3], growTo: 3, measureTo: 3, ordered: false });
});

test("a question is asked as people ask it", () => {
  const random = randomStream(0, "asked");
  expect(arithmetic().generate(2, random).prompt).toMatch(
    /^What is \d{1,2} \+ \d{1,2}\? Answer with just the number\.$/,
  );
});

property.prop([fc.integer({ min: 1, max: 3 }), fc.nat()])(
  "results are right, and never negative",
  (kind, seed) => {
    const { prompt: asked, answer } = arithmetic().generate(kind, randomStream(seed, "right"));
    const [, left, sign, right] = /(\d+) (.) (\d+)/.exec(asked) ?? [];
    const [a, b] = [Number(left), Number(right)];
    const [low, high] = (
      [
        [2, 12],
        [1, 99],
        [1, 49],
      ] as const
    )[kind - 1]!;
    expect(Math.min(a, b)).toBeGreaterThanOrEqual(low);
    expect(Math.max(a, b)).toBeLessThanOrEqual(high);
    expect(Number(answer)).toBe({ "*": a * b, "+": a + b, "-": a - b }[sign ?? ""]);
    expect(Number(answer)).toBeGreaterThanOrEqual(0);
  },
);

test("operands of a product or a sum may change places; those of a difference may not", () => {
  const task = arithmetic();
  const canonical = (question: string): string => task.canonical({ prompt: prompt(question), difficulty: 1 });
  expect([canonical("7 * 3"), canonical("3 * 7")]).toEqual(["3*7", "3*7"]);
  expect([canonical("25 + 17"), canonical("9 + 10")]).toEqual(["17+25", "9+10"]);
  expect(canonical("25 - 17")).toBe("25-17");
  const products = Array.from(
    { length: 200 },
    (_, seed) => task.generate(1, randomStream(seed, "order")).prompt,
  );
  expect(new Set(products).size).toBeGreaterThan(66);
});

test("every product is listed once, the smaller operand first", () => {
  const items = enumerateItems(arithmetic(), 1);
  expect(items).toHaveLength(66);
  expect(items.map(({ split }) => split)).not.toContain("audit");
  expect(items[1]?.prompt).toBe(prompt("2 * 3"));
});

test("every audit difference can be had, and there are about 184", () => {
  const task = arithmetic();
  const items = drawItems({
    task,
    difficulty: 3,
    split: "audit",
    count: 1225,
    random: randomStream(0, "audit"),
    orFewer: true,
  });
  const listed = Array.from(task.enumerate(3), (problem) => itemOf(task, problem));
  expect(items.map(({ canonical }) => canonical).sort()).toEqual(
    listed.flatMap(({ canonical, split }) => (split === "audit" ? [canonical] : [])).sort(),
  );
  expect(Math.abs(items.length - 184)).toBeLessThan(60);
});

test.each([
  ["42", 1],
  ["The answer is 42.", 1],
  ["17 + 25 = 42", 1],
  ["**42**", 1],
  ["42.0", 1],
  ["fourty-two", 0],
  ["-42", 0],
  ["42 or 43", 0],
  ["4 2", 0],
  ["142", 0],
  ["", 0],
])("%j to 17 + 25 is scored %d", async (text, score) => {
  const task = arithmetic();
  const item = itemOf(task, { prompt: prompt("17 + 25"), difficulty: 2 });
  expect(await verdictOf(task, item, { text, complete: true })).toEqual({ outcome: "scored", score });
});

test("thousands may be parted by commas", async () => {
  const task = arithmetic({ kinds: ["sum"], sum: [1, 9999] });
  const item = itemOf(task, { prompt: prompt("1200 + 34"), difficulty: 1 });
  for (const text of ["1234", "1,234"])
    expect(await verdictOf(task, item, { text, complete: true })).toMatchObject({ score: 1 });
});

test("a prompt of another form is unreadable", () => {
  expect(() => arithmetic().canonical({ prompt: "7 * 8", difficulty: 1 })).toThrow(
    'arithmetic cannot read the prompt "7 * 8"; it reads "What is 17 * 4? Answer with just the number.".',
  );
  expect(() => arithmetic({ kinds: ["sum"] }).canonical({ prompt: prompt("7 * 8"), difficulty: 1 })).toThrow(
    /it reads "What is 17 \+ 4/,
  );
});

test("options are refused with the nearest right one", () => {
  expect(() => arithmetic({ kind: ["sum"] } as never)).toThrow(/no option "kind"; did you mean "kinds"/);
  expect(() => arithmetic({ kinds: ["sums"] } as never)).toThrow(/"sum"/);
  expect(() => arithmetic({ kinds: ["sum", "sum"] })).toThrow(/twice/);
  expect(() => arithmetic({ sum: [9, 1] })).toThrow(/option "sum"/);
});
