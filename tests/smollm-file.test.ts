import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { arithmeticLines } from "../examples/smollm/make-arithmetic.ts";
import { arithmetic } from "../src/index.ts";

const text = readFileSync(join(import.meta.dirname, "../examples/smollm/arithmetic.jsonl"), "utf8");
const task = arithmetic();
const rows = text
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as { prompt: string; answer: string; kind: string });

test("the example's file is what its generator writes", () => {
  expect(arithmeticLines()).toBe(text);
});

test("it has 1,000 questions of three kinds, none of them twice", () => {
  expect(rows).toHaveLength(1000);
  const identities = rows.map(({ prompt }) => task.canonical({ prompt, difficulty: 1 }));
  expect(new Set(identities).size).toBe(1000);
  const count = (kind: string): number => rows.filter((row) => row.kind === kind).length;
  expect([count("product"), count("sum"), count("difference")]).toEqual([66, 467, 467]);
});

test("its answers are right, and neither operand is always the smaller", () => {
  let turned = 0;
  for (const { prompt, answer, kind } of rows) {
    const [, left, sign, right] = /^What is (\d+) ([*+-]) (\d+)\? Answer with just the number\.$/.exec(
      prompt,
    )!;
    const [a, b] = [Number(left), Number(right)];
    expect(Number(answer)).toBe(sign === "*" ? a * b : sign === "+" ? a + b : a - b);
    expect(kind).toBe(sign === "*" ? "product" : sign === "+" ? "sum" : "difference");
    if (kind === "sum" && a > b) turned += 1;
  }
  expect(turned).toBeGreaterThan(150);
  expect(turned).toBeLessThan(320);
});
