import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import { taskChecks } from "./conformance/task-checks.ts";
import { countdown } from "./countdown.ts";
import { itemOf } from "./items.ts";
import { verdictOf } from "./verdict.ts";

describe.each([
  ["as it comes", countdown()],
  ["two numbers", countdown({ numbers: [2, 2], values: [1, 12] })],
  ["few of two and three", countdown({ numbers: [2, 3], values: [1, 5], target: [10, 14] })],
])("%s", (_name, task) => {
  for (const { name, run } of taskChecks(task)) test(name, run);
});

const task = countdown();
const prompt =
  "Reach 46 from the numbers 3, 7, 25: use each of them exactly once, with +, -, *, / and parentheses. End with the expression on a line of its own.";
const item = itemOf(task, { prompt, difficulty: 3 });

test.each([
  ["3 * 7 + 25", 1],
  ["25+7*3", 1],
  ["25 + 7 × 3 = 46", 1],
  ["(25) + ((7 * 3)).", 1],
  ["First 7 * 3 = 21.\nThen 21 + 25 = 46.\nAnswer: 7 * 3 + 25", 1],
  ["7 * 3 + 25\n\n  ", 1],
  ["46", 0],
  ["46 = 7 * 3 + 25", 0],
  ["3 * 7 + 25 = 47", 0],
  ["3 * 7 + 25 = 46 = 46", 0],
  ["21 + 25", 0],
  ["7 * 3 + 25 + 0", 0],
  ["3 + 7 + 25", 0],
  ["3 * 7 + 25 done", 0],
  ["7 * 3 + 25\nThat is it", 0],
  ["-(-25) + 3 * 7", 0],
  ["3(7) + 25", 0],
  ["3 * 7 + 25)", 0],
  ["3 * (7 + 25", 0],
  ["3 ** 7 + 25", 0],
  ["25 / (3 - 3) + 7", 0],
])("%j is scored %d", async (text, score) => {
  expect(await verdictOf(task, item, { text, complete: true })).toEqual({ outcome: "scored", score });
});

test("values are exact: thirds come together again", async () => {
  const thirds = itemOf(countdown({ values: [1, 25], target: [1, 100] }), {
    prompt: prompt.replace("46", "24").replace("3, 7, 25", "3, 3, 8, 8"),
    difficulty: 4,
  });
  const verdict = (text: string) => verdictOf(task, thirds, { text, complete: true });
  expect(await verdict("8 / (3 - 8 / 3)")).toMatchObject({ score: 1 });
  expect(await verdict("8 / (3 - 3 / 8)")).toMatchObject({ score: 0 });
  const solution = task.demonstrate(thirds, randomStream(0, "thirds"));
  expect(await verdict(solution)).toMatchObject({ score: 1 });
});

const any = countdown({ numbers: [2, 4], values: [1, 30], target: [1, 200] });
property.prop([fc.integer({ min: 2, max: 4 }), fc.nat()])(
  "whatever is drawn has a solution, which JavaScript's own arithmetic confirms",
  (count, seed) => {
    const random = randomStream(seed, "solved");
    const problem = any.generate(count, random);
    const solution = any.demonstrate(itemOf(any, problem), random);
    expect(solution).toMatch(/^[\d+\-*/() ]+$/);
    const [, target, list] = /^Reach (\d+) from the numbers ([\d, ]+):/.exec(problem.prompt) ?? [];
    expect(new Function(`return ${solution}`)()).toBeCloseTo(Number(target), 9);
    expect(solution.match(/\d+/g)?.map(Number).sort()).toEqual(list?.split(", ").map(Number).sort());
  },
);

test("the order of the numbers makes no other item", () => {
  const other = itemOf(task, { prompt: prompt.replace("3, 7, 25", "25, 3, 7"), difficulty: 3 });
  expect(other.canonical).toBe("3,7,25=46");
  expect(other.canonical).toBe(item.canonical);
});

test("demonstrations differ in how they get there", () => {
  const random = randomStream(0, "several");
  const ways = new Set(Array.from({ length: 20 }, () => task.demonstrate(item, random)));
  expect(ways.size).toBeGreaterThan(1);
});

test("what a model may write without end is a wrong answer, not a fault", async () => {
  for (const text of [
    "(".repeat(100_000),
    "1+".repeat(100_000),
    "9".repeat(400),
    "((((3*7)))) + 25".repeat(2),
  ])
    expect(await verdictOf(task, item, { text, complete: true })).toEqual({ outcome: "scored", score: 0 });
});

test("few items are counted, many are not", () => {
  const distinct = (options: Parameters<typeof countdown>[0]): number[] =>
    countdown(options).strata.map((stratum) => stratum.distinct);
  // Of 1 and 2: 1+1=2; 1+2, 2·1=2, 2/1, 2−1; 2+2=2·2=4.
  expect(distinct({ numbers: [2, 2], values: [1, 2], target: [2, 4] })).toEqual([4]);
  expect(distinct({})).toEqual([expect.any(Number), Number.POSITIVE_INFINITY]);
  expect(Number.isFinite(distinct({})[0])).toBe(true);
});

test("what cannot be solved or counted is refused", () => {
  expect(() => countdown({ numbers: [2, 2], values: [1, 2], target: [50, 60] })).toThrow(
    /no 2 numbers of 1 to 2 make a target of 50 to 60\. Widen "target" or "values"/,
  );
  expect(() => countdown({ numbers: [3, 3], values: [1, 100], target: [997, 997] })).toThrow(
    /too many to be counted one by one/,
  );
});

test("a prompt of another form is unreadable", () => {
  expect(() => task.canonical({ prompt: `${prompt} Please.`, difficulty: 3 })).toThrow(
    /cannot read the prompt/,
  );
});

test("options are refused with the nearest right one", () => {
  expect(() => countdown({ number: [3, 4] } as never)).toThrow(/no option "number"; did you mean "numbers"/);
  expect(() => countdown({ numbers: [4, 3] })).toThrow(/option "numbers"/);
  expect(() => countdown({ numbers: [3, 9] })).toThrow(/option "numbers.1"/);
});
