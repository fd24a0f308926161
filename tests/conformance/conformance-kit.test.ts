import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../src/foundation/contract/index.ts";
import { type ConformanceSubject, conformanceChecks } from "../../src/model/engine/conformance/index.ts";
import { tiny } from "../../src/model/engine/index.ts";
import { tabular } from "../../src/model/engine/tabular/index.ts";
import { faults } from "./faults.ts";
import { faultyEngine } from "./faulty-engine.ts";

let folder: string;
let engine: Engine;
let subject: ConformanceSubject;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-kit-"));
  const needs = { characters: "0123456789=", projectFolder: folder };
  const { path, tokenizer } = await tiny().prepare(folder, needs);
  engine = await tabular().open({ logFolder: folder });
  const tokens = [tokenizer.endToken, ...tokenizer.encode(needs.characters)];
  subject = { engine, modelFolder: path, vocabularySize: tokenizer.vocabularySize, tokens };
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const checks = conformanceChecks();

describe("the conformance kit", () => {
  test.each(faults)("catches an engine where $fault", async ({ caughtBy, planting }) => {
    const check = checks.find(({ name }) => name === caughtBy);
    const faulty = { ...subject, engine: faultyEngine(engine, planting) };
    await expect(check?.run(faulty)).rejects.toMatchObject({ code: "conformance-failed" });
  });

  test("has a fault for every check, and passes the engine that has none", async () => {
    const plain = { ...subject, engine: faultyEngine(engine, {}) };
    const caught = new Set(faults.map(({ caughtBy }) => caughtBy));
    for (const { name, run } of checks) {
      expect(caught).toContain(name);
      expect(await run(plain)).toMatchObject({ outcome: "passed" });
    }
    expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
  });

  test("excuses an engine from what it does not claim, and says so", async () => {
    const capabilities = async () => ({
      ...(await engine.capabilities()),
      losses: ["cross_entropy"] as const,
      optimizers: ["adamw"] as const,
      stopStrings: false,
    });
    const modest = { ...subject, engine: faultyEngine(engine, { engine: () => ({ capabilities }) }) };
    const excused: string[] = [];
    for (const { name, run } of checks) {
      const result = await run(modest);
      if (result.outcome === "not-applicable") excused.push(`${name}: ${result.reason}`);
    }
    expect(excused).toHaveLength(7);
    expect(excused).toContain(
      "ppo clips what has gone far enough, and only that: it has no importance_sampling",
    );
  });
});
