import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exactCases } from "../bench/exact/cases.ts";
import { measureCase } from "../bench/exact/measure.ts";
import { policyCase } from "../bench/exact/policy.ts";
import { type Engine, local } from "../src/index.ts";

let folder: string;
let engine: Engine;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-exact-"));
  engine = await local({ workers: 1 }).open({ logFolder: folder });
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test.each(exactCases)("$loss makes the weights that TRL makes", async (one) => {
  expect(one.source).toContain("TRL");
  expect(await measureCase(engine, one)).toBeLessThanOrEqual(one.tolerance);
});

test.each([
  ["grpo", { loss: "ppo", sampleDeviation: true, epsilon: 1e-4, average: "responses" }],
  ["grpo", { loss: "ppo", average: "tokens", kl: { reference: "start" } }],
  ["ppo", { loss: "ppo", advantages: "learned", clipHigh: 1.28 }],
  ["ppo", { loss: "importance_sampling", advantages: "learned" }],
] as const)("%s with %o does not", async (loss, update) => {
  const given = loss === "ppo" ? { given: true as const } : {};
  const difference = await measureCase(engine, policyCase({ loss, tolerance: 0, update, ...given }));
  expect(difference).toBeGreaterThan(1e-4);
});
