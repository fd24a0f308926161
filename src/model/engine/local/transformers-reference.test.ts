import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conformanceChecks } from "../conformance/index.ts";
import { tinyShape } from "../conformance/tiny-shape.ts";
import { installEngine, installPlainPackages, TransformersReference } from "./index.ts";
import { EngineHome } from "./testing/engine-home.ts";

const home = new EngineHome({ workers: 1 });
let reference: TransformersReference;
let modelFolder: string;
beforeAll(async () => {
  await home.begin();
  modelFolder = await home.model("subject", { model_type: "llama", ...tinyShape(24) });
  const installation = await installEngine();
  const packages = await installPlainPackages(installation);
  reference = new TransformersReference({ ...installation, packages, environment: process.env });
}, 600_000);
afterAll(async () => {
  await reference[Symbol.asyncDispose]();
  await home.end();
});

const checks = conformanceChecks().filter(({ name }) => name.endsWith("that transformers computes"));

describe.each(["fp32", "mixed", "bf16"] as const)("in %s", (precision) => {
  test.each(checks)("$name", { timeout: 120_000 }, async ({ run }) => {
    const subject = { engine: home.engine, modelFolder, vocabularySize: 24, precision, reference };
    expect(await run(subject)).toMatchObject({ outcome: "passed" });
  });
});

test("a folder that transformers cannot load is refused with its words", async () => {
  const folder = await home.model("strange", { model_type: "strange" });
  const asked = { folder, sequences: [Int32Array.of(1)], rounded: false };
  await expect(reference.logprobs(asked)).rejects.toMatchObject({
    code: "reference-failed",
    message: expect.stringContaining("strange"),
  });
});

test("a process that ends says why", async () => {
  const python = "/usr/bin/false";
  await using broken = new TransformersReference({ python, packages: home.folder, environment: {} });
  const asked = { folder: home.folder, sequences: [Int32Array.of(1)], rounded: false };
  await expect(broken.logprobs(asked)).rejects.toMatchObject({ code: "reference-failed" });
});
