import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../foundation/base/index.ts";
import type { Datum, EngineModel, LoadOptions, Sampler } from "../../../foundation/contract/index.ts";
import { installEngine, LocalEngine } from "./index.ts";
import { packageFolder } from "./installation.ts";
import { placeOf } from "./placement.ts";
import { type PoolOptions, WorkerPool } from "./pool.ts";

const vocabulary = 12;
const config = {
  model_type: "llama",
  vocab_size: vocabulary,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
};

let folder: string;
let base: string;
let engine: LocalEngine;
let options: PoolOptions;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-adapters-"));
  base = join(folder, "base");
  await mkdir(base);
  await writeFile(join(base, "config.json"), JSON.stringify(config));
  const { python } = await installEngine();
  options = {
    python,
    packageFolder,
    environment: process.env,
    logFolder: join(folder, "logs"),
    clock: systemClock,
    workers: 2,
    threads: 1,
    largeThreads: 1,
    memoryBytes: 4e9,
  };
  engine = new LocalEngine(options);
}, 600_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const source = (seed = 1) => ({ kind: "folder", path: base, seed }) as const;
const adapters = (seed: number, more: Partial<LoadOptions> = {}): Promise<EngineModel> =>
  engine.createModel({ source: source(), lora: { rank: 4, seed }, ...more });

const line = Int32Array.from({ length: 9 }, (_, index) => (3 * index) % vocabulary);
const data: readonly Datum[] = [
  { tokens: line.subarray(0, 8), targets: line.subarray(1), weights: new Float32Array(8).fill(1) },
];
const loss = { name: "cross_entropy" } as const;

async function train(model: EngineModel, steps: number): Promise<number[]> {
  const losses = [];
  for (let step = 0; step < steps; step++) {
    losses.push((await model.forwardBackward(data, { loss, logprobs: "none" })).lossSum);
    await model.optimStep({ learningRate: 0.005 });
  }
  return losses;
}

const scores = async (sampler: Sampler): Promise<number[]> => [
  ...((await sampler.logprobs([line]))[0] ?? new Float32Array()).subarray(1),
];
const trained = async (model: EngineModel): Promise<number[]> =>
  (await model.forward(data, { loss })).logprobs.flatMap((values) => [...values]);

describe("adapters on the local engine", () => {
  test("learn, are saved with what they lie over, go on, and are merged", async () => {
    await using model = await adapters(1);
    expect(model.info.lora).toEqual({ rank: 4, alpha: 32, modules: ["attention", "mlp"] });
    const losses = await train(model, 30);
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 2);
    const path = join(folder, "saved");
    await model.save({ path });
    expect((await readdir(path)).sort()).toEqual([
      "adapter_config.json",
      "adapter_model.safetensors",
      "config.json",
      "optimizer.safetensors",
      "whetstone.json",
    ]);
    await using again = await engine.createModel({ source: { kind: "checkpoint", path, optimizer: true } });
    expect(again.info).toMatchObject({ step: 30, lora: { rank: 4 } });
    const expected = await trained(model);
    await using sampler = await engine.loadSampler({
      source: { kind: "checkpoint", path, optimizer: false },
    });
    const to = join(folder, "merged");
    expect((await engine.mergeAdapters({ from: path, to })).bytes).toBeGreaterThan(1000);
    await using whole = await engine.loadSampler({ source: { kind: "folder", path: to } });
    for (const [index, logprob] of expected.entries()) {
      expect((await scores(sampler))[index]).toBeCloseTo(logprob, 4);
      expect((await scores(whole))[index]).toBeCloseTo(logprob, 4);
    }
    expect(await train(again, 3)).toEqual(await train(model, 3));
    await expect(engine.mergeAdapters({ from: base, to: join(folder, "none") })).rejects.toMatchObject({
      code: "adapter-missing",
      category: "user",
    });
  });

  test("of one base are on one worker, whatever else that holds", async () => {
    await using pool = new WorkerPool({ ...options, logFolder: join(folder, "pool") });
    const first = await pool.place(true, "one base");
    const busy = await pool.place(true);
    const second = await pool.place(true, "one base");
    const other = await pool.place(true, "another");
    expect(second.worker).toBe(first.worker);
    expect([busy.worker, other.worker]).not.toContain(first.worker);
    for (const { release } of [first, second]) release();
    // Nobody holds the first base any more: its next adapters go where there is room.
    expect((await pool.place(true)).worker).toBe(first.worker);
    await pool.place(true);
    await pool.place(true);
    other.release();
    busy.release();
    expect((await pool.place(true, "one base")).worker).toBe(other.worker);
  });

  test("that cannot be made are refused", async () => {
    await expect(adapters(1, { lora: { rank: 513 } })).rejects.toMatchObject({ code: "bad-request" });
    const path = join(folder, "moved");
    await using model = await adapters(1);
    await model.save({ path, optimizer: false });
    await expect(
      engine.createModel({
        source: { kind: "checkpoint", path, optimizer: false, base: join(folder, "nowhere") },
      }),
    ).rejects.toMatchObject({ code: "base-missing", category: "user" });
    await using given = await engine.createModel({
      source: { kind: "checkpoint", path, optimizer: false, base },
    });
    expect(given.info.lora?.rank).toBe(4);
  });

  test("recomputed activations change nothing", async () => {
    await using kept = await adapters(5);
    await using again = await adapters(5, { gradientCheckpointing: true });
    expect(await train(again, 3)).toEqual(await train(kept, 3));
  });

  test("are placed by the base that their config names, from their own folder", async () => {
    const path = join(folder, "imported");
    await mkdir(path);
    expect(await placeOf({ source: { kind: "folder", path } })).toEqual({ folder: path });
    await writeFile(join(path, "adapter_config.json"), '{ "base_model_name_or_path": "../base" }');
    const named = { folder: base, base: `${base}# fp32` };
    expect(await placeOf({ source: { kind: "checkpoint", path, optimizer: false } })).toEqual(named);
    expect(await placeOf({ source: source(1), lora: { rank: 1 }, precision: "mixed" })).toEqual({
      folder: base,
      base: `${base}#1 mixed`,
    });
    await writeFile(join(path, "whetstone.json"), '{ "base": { "seed": 1 } }');
    expect(await placeOf({ source: { kind: "folder", path } })).toEqual({
      folder: base,
      base: `${base}#1 fp32`,
    });
  });
});
