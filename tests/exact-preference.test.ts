import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dpoCase } from "../bench/exact/dpo.ts";
import { ktoCase } from "../bench/exact/kto.ts";
import { measureCase } from "../bench/exact/measure.ts";
import { type Engine, local } from "../src/index.ts";

let folder: string;
let engine: Engine;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-exact-preference-"));
  engine = await local({ workers: 1 }).open({ logFolder: folder });
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test.each([
  ["DPO", dpoCase()],
  ["KTO", ktoCase()],
])("%s makes the weights that TRL makes", async (_, one) => {
  expect(one.source).toContain("TRL");
  expect(await measureCase(engine, one)).toBeLessThanOrEqual(one.tolerance);
});

test.each([
  ["another β", dpoCase({ loss: { name: "dpo", beta: 0.1 } })],
  ["a likelihood beside it", dpoCase({ loss: { name: "dpo", beta: 0.3, likelihood: 0.1 } })],
  ["another loss", dpoCase({ loss: { name: "ipo", beta: 0.3 } })],
  ["undesirable ones that weigh more", ktoCase({ undesirableWeight: 1.33 })],
  ["another β of KTO", ktoCase({ beta: 0.1 })],
])("with %s it does not", async (_, one) => {
  expect(await measureCase(engine, one)).toBeGreaterThan(1e-4);
});
