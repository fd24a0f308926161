import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { freemem, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WhetstoneError } from "../../foundation/base/index.ts";
import { type EngineDefinition, tiny } from "../../model/engine/index.ts";
import { reverse } from "../../world/task/index.ts";
import { defineRun, type RunConfig, run } from "../run.ts";
import { availableMemory, parametersOf, refuseTooLarge } from "./memory.ts";
import { plan } from "./plan.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-memory-"));
});
afterEach(() => rm(folder, { recursive: true }));

const opened = new WhetstoneError({ code: "opened", category: "internal", message: "It was opened." });
const engine: EngineDefinition = {
  name: "here",
  description: {},
  bytesPerParameter: 16,
  open: () => Promise.reject(opened),
};
const define = (config: Partial<RunConfig> = {}) => defineRun({ task: reverse(), engine, ...config });

/** A small model's folder whose configuration says that it has 7 billion parameters. */
async function hugeModel(): Promise<string> {
  const { path } = await tiny().prepare(folder, { characters: "0123456789=", projectFolder: folder });
  const shape = { vocab_size: 32_000, hidden_size: 4096, intermediate_size: 11_008, num_hidden_layers: 32 };
  const heads = { num_attention_heads: 32, num_key_value_heads: 32, head_dim: 128 };
  await writeFile(join(path, "config.json"), JSON.stringify({ model_type: "llama", ...shape, ...heads }));
  return path;
}

test("a model that is too large is refused with the number, and nothing is opened", async () => {
  const path = await hugeModel();
  const prepared = { path, fromScratch: true };
  expect(await parametersOf(prepared)).toBe(6_738_415_616);
  const refused = {
    code: "model-too-large",
    category: "user",
    message: expect.stringMatching(
      /has 6\.7 billion parameters: training takes at least 107\.8 GB of memory/,
    ),
    details: { parameters: 6_738_415_616, neededBytes: 107_814_649_856, availableBytes: 1e11 },
  };
  await expect(refuseTooLarge(define(), prepared, 1e11)).rejects.toMatchObject(refused);
  await refuseTooLarge(define(), prepared, 1.1e11);
  // Of a model that comes as adapters the weights alone are held.
  const adapters = { ...prepared, fromScratch: false, adapters: { rank: 8 } };
  await refuseTooLarge(define(), adapters, 2.7e10);
  await expect(refuseTooLarge(define(), adapters, 2.6e10)).rejects.toThrow("at least 27.0 GB");
});

test("run and plan ask before they load", async () => {
  const { bytesPerParameter: _none, ...elsewhere } = engine;
  const large = { ...engine, bytesPerParameter: totalmem() };
  const model = tiny();
  await expect(plan(define({ model, engine: large }), { folder })).rejects.toMatchObject({
    code: "model-too-large",
  });
  await expect(run(define({ model, engine: large }), { folder })).rejects.toMatchObject({
    code: "model-too-large",
  });
  // Where the model lies on another machine, this one's memory says nothing.
  await expect(run(define({ model, engine: elsewhere }), { folder })).rejects.toBe(opened);
});

test("a run that trains nothing is not held to what training takes", async () => {
  const prepared = { path: await hugeModel(), fromScratch: false };
  await refuseTooLarge(define({ budget: { rounds: 0 } }), prepared, 1e9);
  await expect(refuseTooLarge(define(), prepared, 1e9)).rejects.toMatchObject({ code: "model-too-large" });
});

test("what is available is between what lies unused and all that there is", () => {
  expect(availableMemory()).toBeGreaterThan(0);
  expect(availableMemory()).toBeLessThanOrEqual(totalmem());
  expect(freemem()).toBeLessThanOrEqual(totalmem());
});
