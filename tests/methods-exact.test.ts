import { afterAll, beforeAll, expect, test } from "vitest";
import { Bandits, exact, exactTolerance } from "../bench/methods/exact.ts";
import { methods } from "../src/index.ts";

let bandits: Bandits;
beforeAll(async () => {
  bandits = await Bandits.open();
});
afterAll(() => bandits[Symbol.asyncDispose]());

test.each(methods().map((page) => [page.name, page] as const))(
  "the first step of %s is that of its closed form",
  async (_, page) => {
    const { before, after, low, high } = await exact(page, bandits);
    expect(Math.max(Math.abs(low), Math.abs(high))).toBeLessThan(exactTolerance);
    expect(Math.abs(after)).toBeGreaterThan(1e-3);
    // Upwards where the closed form goes up: the opposite step would differ by twice as much as there is.
    expect(Math.sign(after)).toBe(Math.sign(before));
  },
);

test.each([
  ["grpo", "dr-grpo"],
  ["dpo", "iterative-rpo"],
  ["rejection-sampling", "grpo"],
  ["kto", "dpo"],
])("the step of %s is not that of %s", async (name, other) => {
  const page = methods().find((one) => one.name === name);
  if (page === undefined) throw new Error(`there is no method ${name}`);
  const { low, high } = await exact({ ...page, name: other }, bandits);
  expect(Math.max(Math.abs(low), Math.abs(high))).toBeGreaterThan(0.01);
});
