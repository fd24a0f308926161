import { readdirSync, readlinkSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../foundation/base/index.ts";
import type {
  Datum,
  EngineModel,
  SampleRequest,
  SamplingParameters,
} from "../../../foundation/contract/index.ts";
import { installEngine, LocalEngine, local } from "./index.ts";
import { packageFolder } from "./installation.ts";
import { Worker } from "./worker.ts";
import { openWorkerLog } from "./worker-log.ts";

const vocabulary = 12;
const config = {
  model_type: "llama",
  vocab_size: vocabulary,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
};

let folder: string;
let modelFolder: string;
let engine: LocalEngine;
let python: string;

function openEngine(workers: number, logFolder = join(folder, "logs"), largeThreads = 1): LocalEngine {
  return new LocalEngine({
    python,
    packageFolder,
    environment: process.env,
    logFolder,
    clock: systemClock,
    workers,
    threads: 1,
    largeThreads,
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-local-"));
  modelFolder = join(folder, "model");
  await mkdir(modelFolder);
  await writeFile(join(modelFolder, "config.json"), JSON.stringify(config));
  ({ python } = await installEngine());
  engine = openEngine(2);
}, 600_000);

afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const newModel = (seed: number, on = engine): Promise<EngineModel> =>
  on.createModel({ source: { kind: "folder", path: modelFolder, seed } });

/** Counts upwards from a start: something that is quickly learnt. */
function counting(count: number): Datum[] {
  return Array.from({ length: count }, (_, start) => {
    const line = Int32Array.from({ length: 9 }, (_, index) => (start + index) % vocabulary);
    return { tokens: line.subarray(0, 8), targets: line.subarray(1), weights: new Float32Array(8).fill(1) };
  });
}

async function train(model: EngineModel, steps: number): Promise<number[]> {
  const data = counting(vocabulary);
  const passes = Array.from({ length: steps }, () => {
    const pass = model.forwardBackward(data, { loss: { name: "cross_entropy" }, logprobs: "none" });
    const step = model.optimStep({ learningRate: 1e-2 });
    return Promise.all([pass, step]);
  });
  return (await Promise.all(passes)).map(([{ lossSum, positions }]) => lossSum / positions);
}

function requestsOf(count: number, parameters: Partial<SamplingParameters> = {}): SampleRequest[] {
  return Array.from({ length: count }, (_, index) => ({
    prompt: Int32Array.from({ length: 1 + (index % 7) }, (_, place) => (index + place) % vocabulary),
    samples: 1 + (index % 3),
    seed: 2 ** 47 + 977 * index,
    parameters: { maxTokens: 4 + (index % 9), ...parameters },
  }));
}

describe("LocalEngine", () => {
  test("says what it can do and starts what it needs for that", async () => {
    const capabilities = await engine.capabilities();
    expect(capabilities.engine).toMatch(/^local \(torch 2\.13/);
    expect(capabilities.workers).toBe(2);
    expect(capabilities.architectures).toContain("llama");
    expect(capabilities.losses).toEqual([
      "cross_entropy",
      "importance_sampling",
      "ppo",
      "cispo",
      "dro",
      "gspo",
    ]);
    expect(capabilities.precisions).toEqual(["fp32", "mixed", "bf16"]);
    expect(capabilities.loraRank).toBe(512);
    expect(capabilities.tolerance.fp32).toEqual({ logprob: 1e-4, meanLogprob: 1e-4, gradient: 1e-4 });
    expect(capabilities.tolerance.bf16.meanLogprob).toBeLessThanOrEqual(0.1);
  });

  test("gives a large model all threads, in the worker that said what the engine can do", async () => {
    const logs = join(folder, "large-logs");
    const path = join(folder, "large-model");
    await mkdir(path);
    // Large for its table of positions alone.
    const large = { ...config, position_embedding_type: "learned", max_position_embeddings: 700_000 };
    await writeFile(join(path, "config.json"), JSON.stringify(large));
    const sampled = async (threads: number, source: string): Promise<number[][]> => {
      await using one = openEngine(2, logs, threads);
      await one.capabilities();
      await using sampler = await one.loadSampler({ source: { kind: "folder", path: source, seed: 1 } });
      const samples = (await sampler.sample(requestsOf(40))).flat();
      expect(samples.length).toBeGreaterThan(60);
      return samples.map(({ tokens }) => [...tokens]);
    };
    const alone = await sampled(1, path);
    expect(await sampled(3, path)).toEqual(alone);
    expect(readdirSync(logs)).toHaveLength(2);
    await sampled(3, modelFolder);
    expect(readdirSync(logs)).toHaveLength(4);
  });

  test("learns, with every call written before the first answer", async () => {
    await using model = await newModel(1);
    expect(model.info).toMatchObject({ vocabularySize: vocabulary, step: 0, maxPositions: 64 });
    const before = engine.cost();
    const losses = await train(model, 60);
    expect(losses[0]).toBeGreaterThan(1);
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 10);
    await using sampler = await model.snapshot();
    expect(sampler.weightVersion).toBe(`${model.id}@60`);
    const [samples] = await sampler.sample([
      { prompt: Int32Array.of(3, 4), samples: 2, seed: 1, parameters: { maxTokens: 5, temperature: 0 } },
    ]);
    expect(samples?.map(({ tokens, stopReason }) => [[...tokens], stopReason])).toEqual([
      [[5, 6, 7, 8, 9], "length"],
      [[5, 6, 7, 8, 9], "length"],
    ]);
    const after = engine.cost();
    expect(after.tokensTrained - before.tokensTrained).toBe(60 * 8 * vocabulary);
    expect(after.optimizerSteps - before.optimizerSteps).toBe(60);
    expect(after.tokensSampled - before.tokensSampled).toBe(10);
    expect(after.busySeconds).toBeGreaterThan(before.busySeconds);
    expect(after.availableSeconds).toBeGreaterThan(after.busySeconds);
  });

  test("gives a sampler's requests to all workers, and the split changes no sample", async () => {
    await using one = openEngine(1);
    const requests = [...requestsOf(90), ...requestsOf(60, { temperature: 0.5, topK: 3, stopTokens: [2] })];
    const source = { kind: "folder", path: modelFolder, seed: 5 } as const;
    await using shared = await engine.loadSampler({ source });
    await using alone = await one.loadSampler({ source });
    expect(shared.weightVersion).toBe(`${modelFolder}#5`);
    const fromTwo = await shared.sample(requests);
    const fromOne = await alone.sample(requests);
    expect(fromTwo.map((samples) => samples.length)).toEqual(requests.map(({ samples }) => samples));
    const tokensOf = (all: typeof fromTwo) => all.map((samples) => samples.map(({ tokens }) => [...tokens]));
    expect(tokensOf(fromTwo)).toEqual(tokensOf(fromOne));
    const piecewise = await Promise.all(requests.slice(0, 20).map((request) => shared.sample([request])));
    expect(tokensOf(piecewise.flat())).toEqual(tokensOf(fromTwo.slice(0, 20)));
    // Each sampled logprob is what the same sampler computes for the whole sequence.
    const { prompt } = requests[9] as SampleRequest;
    const sampled = fromTwo[9]?.[0];
    const [recomputed] = await shared.logprobs([Int32Array.of(...prompt, ...(sampled?.tokens ?? []))]);
    expect(recomputed?.[0]).toBeNaN();
    for (const [index, logprob] of (sampled?.logprobs ?? []).entries())
      expect(recomputed?.[prompt.length + index]).toBeCloseTo(logprob, 4);
  });

  test("keeps logprobs in the order of the sequences, whichever worker answers", async () => {
    await using sampler = await engine.loadSampler({
      source: { kind: "folder", path: modelFolder, seed: 5 },
    });
    const sequences = Array.from({ length: 80 }, (_, index) =>
      Int32Array.from({ length: 1 + ((index * 5) % 19) }, (_, place) => (index * place) % vocabulary),
    );
    const all = await sampler.logprobs(sequences);
    for (const [index, sequence] of sequences.entries()) {
      const [single] = await sampler.logprobs([sequence]);
      expect(all[index]?.length).toBe(sequence.length);
      for (const [place, logprob] of (single ?? []).entries())
        if (place > 0) expect(all[index]?.[place]).toBeCloseTo(logprob, 4);
    }
  });

  test("a snapshot stays what it was while its model learns", async () => {
    await using model = await newModel(2);
    await using sampler = await model.snapshot();
    const sequence = Int32Array.of(0, 1, 2, 3, 4);
    const [before] = await sampler.logprobs([sequence]);
    await train(model, 5);
    expect(await sampler.logprobs([sequence])).toEqual([before]);
    await using later = await model.snapshot();
    expect(await later.logprobs([sequence])).not.toEqual([before]);
  });

  test("goes on from a checkpoint as if it had never stopped", async () => {
    await using model = await newModel(3);
    await train(model, 3);
    const path = join(folder, "checkpoint");
    const saved = await model.save({ path });
    expect(saved).toMatchObject({ path, sequence: 7 });
    expect(saved.bytes).toBeGreaterThan(1000);
    await expect(model.save({ path })).rejects.toMatchObject({ code: "save-exists", category: "user" });
    await using again = await engine.createModel({ source: { kind: "checkpoint", path, optimizer: true } });
    expect(again.info.step).toBe(3);
    expect(await train(again, 3)).toEqual(await train(model, 3));
    await using sampler = await engine.loadSampler({
      source: { kind: "checkpoint", path, optimizer: false },
    });
    expect(sampler.weightVersion).toBe(path);
    expect(await sampler.sample(requestsOf(4))).toHaveLength(4);
  });

  test("returns logprobs where weights are, and NaN elsewhere", async () => {
    await using model = await newModel(4);
    const [first, second] = counting(2) as [Datum, Datum];
    const weights = Float32Array.of(0, 0, 1, -0.5, 0, 0, 2, 0);
    const data = [{ ...first, weights }, second];
    const loss = { name: "cross_entropy" } as const;
    const all = await model.forward(data, { loss });
    const weighted = await model.forward(data, { loss, logprobs: "weighted" });
    expect(weighted.positions).toBe(11);
    for (const [index, weight] of weights.entries()) {
      if (weight === 0) expect(weighted.logprobs[0]?.[index]).toBeNaN();
      else expect(weighted.logprobs[0]?.[index]).toBeCloseTo(all.logprobs[0]?.[index] as number, 5);
    }
    expect(weighted.logprobs[1]).toHaveLength(8);
    const none = await model.forward(data, { loss, logprobs: "none" });
    expect(none.logprobs.map(({ length }) => length)).toEqual([0, 0]);
    expect(none.lossSum).toBeCloseTo(all.lossSum, 3);
  });

  test("masks of the policy losses may be given for some data only", async () => {
    await using model = await newModel(4);
    const [first, second] = counting(2).map((datum) => ({
      ...datum,
      advantages: new Float32Array(8).fill(0.5),
      logprobs: new Float32Array(8).fill(-2),
    })) as [Datum, Datum];
    const mask = Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0);
    const loss = { name: "importance_sampling" } as const;
    const { positions, logprobs } = await model.forward([{ ...first, mask }, second], {
      loss,
      logprobs: "weighted",
    });
    expect(positions).toBe(9);
    expect([...(logprobs[0] ?? [])].map(Number.isNaN)).toEqual([false, ...Array(7).fill(true)]);
    expect([...(logprobs[1] ?? [])].some(Number.isNaN)).toBe(false);
  });

  test("a failed call uses up no sequence, and a repeated one is answered from its record", async () => {
    await using model = await newModel(6);
    const data = counting(2);
    const outside = [{ ...(data[0] as Datum), tokens: new Int32Array(8).fill(vocabulary) }];
    const loss = { name: "cross_entropy" } as const;
    const before = engine.cost();
    const calls = await Promise.allSettled([
      model.forwardBackward(data, { loss }),
      model.forwardBackward(outside, { loss }),
      model.optimStep({ learningRate: 1e-2 }),
    ]);
    expect(
      calls.map((call) => (call.status === "rejected" ? call.reason.code : call.value.sequence)),
    ).toEqual([1, "token-out-of-range", "sequence-gap"]);
    const step = await model.optimStep({ learningRate: 1e-2 });
    expect(step).toMatchObject({ sequence: 2, step: 1 });
    expect(await model.optimStep({ learningRate: 1e-2, sequence: 2 })).toEqual(step);
    expect(engine.cost().optimizerSteps - before.optimizerSteps).toBe(1);
    expect(await model.forward(data, { loss })).toMatchObject({ sequence: 3 });
  });

  test("refuses data whose arrays differ in length, and numbers that are none, before anything is sent", async () => {
    await using model = await newModel(6);
    const [datum] = counting(1) as [Datum];
    const short = { ...datum, weights: new Float32Array(3) };
    const loss = { name: "cross_entropy" } as const;
    await expect(model.forward([short], { loss })).rejects.toThrow("Datum 0 has 8 tokens and 3 weights");
    await expect(model.forward([datum], { loss: { name: "ppo" } })).rejects.toThrow(
      "no advantages, which ppo needs",
    );
    await expect(model.optimStep({ learningRate: Number.NaN })).rejects.toMatchObject({
      code: "bad-request",
    });
    expect(await model.forward([datum], { loss })).toMatchObject({ sequence: 1 });
  });

  test("an aborted wait leaves the worker and the model in order", async () => {
    await using model = await newModel(7);
    const abort = new AbortController();
    const data = counting(vocabulary);
    const loss = { name: "cross_entropy" } as const;
    const waiting = model.forwardBackward(data, { loss, signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(model.optimStep({ learningRate: 1e-3, signal: abort.signal })).rejects.toThrow("enough");
    expect(await model.optimStep({ learningRate: 1e-3 })).toMatchObject({ sequence: 2, step: 1 });
    const late = new AbortController();
    const created = engine.createModel({
      source: { kind: "folder", path: modelFolder, seed: 1 },
      signal: late.signal,
    });
    late.abort(new Error("too late"));
    await expect(created).rejects.toThrow("too late");
  });

  test("names what is wrong with a model's folder", async () => {
    const broken = join(folder, "broken");
    await mkdir(broken);
    const create = () => engine.createModel({ source: { kind: "folder", path: broken, seed: 1 } });
    await expect(create()).rejects.toMatchObject({ code: "config-missing", category: "user" });
    await writeFile(join(broken, "config.json"), JSON.stringify({ ...config, model_type: "mamba" }));
    await expect(create()).rejects.toMatchObject({ code: "unsupported-architecture", category: "user" });
    await expect(engine.loadSampler({ source: { kind: "folder", path: modelFolder } })).rejects.toMatchObject(
      { code: "weights-missing" },
    );
  });

  test("a worker killed in the middle of a step takes only its own models along", async () => {
    const logFolder = join(folder, "doomed");
    await using doomed = openEngine(2, logFolder);
    const first = await newModel(1, doomed);
    const second = await newModel(2, doomed);
    const sampler = await doomed.loadSampler({ source: { kind: "folder", path: modelFolder, seed: 1 } });
    const losses = train(first, 400);
    setTimeout(() => process.kill(processOfWorker(logFolder, 1), "SIGKILL"), 50);
    await expect(losses).rejects.toMatchObject({
      code: "worker-died",
      category: "engine",
      message: expect.stringMatching(/signal SIGKILL/),
    });
    await expect(first.optimStep({ learningRate: 1 })).rejects.toMatchObject({ code: "worker-died" });
    expect((await train(second, 2)).every(Number.isFinite)).toBe(true);
    expect(await sampler.sample(requestsOf(40))).toHaveLength(40);
    // Its place is filled again by whoever needs it next.
    await using again = await newModel(1, doomed);
    expect((await train(again, 2)).every(Number.isFinite)).toBe(true);
  });

  test("takes no call after it was closed", async () => {
    const logFolder = join(folder, "closing");
    const closing = openEngine(1, logFolder);
    const model = await newModel(1, closing);
    // A worker that does not come to its end by itself is ended.
    process.kill(processOfWorker(logFolder, 1), "SIGSTOP");
    const rejected = expect(train(model, 3)).rejects.toMatchObject({ code: "engine-closed" });
    await closing[Symbol.asyncDispose]();
    await rejected;
    await expect(newModel(1, closing)).rejects.toMatchObject({ code: "engine-closed" });
  });
});

/** The process of a log folder's n-th worker: the one whose standard output that log is. */
function processOfWorker(logFolder: string, number: number): number {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const output = readlinkSync(`/proc/${pid}/fd/1`);
      if (output.startsWith(logFolder) && output.endsWith(`-${number}.log`)) return Number(pid);
    } catch {
      // Gone, or not ours to look at.
    }
  }
  throw new Error(`no process writes log ${number} of ${logFolder}`);
}

describe("local()", () => {
  test("refuses what it does not know, and names the nearest right option", () => {
    expect(() => local({ worker: 2 } as never)).toThrow(
      'there is no option "worker"; did you mean "workers"?',
    );
    expect(() => local({ workers: 0 })).toThrow(expect.objectContaining({ code: "invalid-option" }));
    expect(local({ workers: 3 })).toMatchObject({ name: "local", description: { workers: 3 } });
  });
});

describe("Worker", () => {
  const start = (program: string, source = packageFolder) =>
    Worker.start({
      python: program,
      packageFolder: source,
      threads: 1,
      log: openWorkerLog(join(folder, "logs"), "20260101T000000000Z", 1),
      environment: process.env,
    });

  test("that cannot be started is a named error", async () => {
    await expect(start(join(folder, "no-python"))).rejects.toMatchObject({
      code: "worker-not-started",
      category: "environment",
    });
  });

  test("that dies while starting shows the end of its log", async () => {
    const empty = join(folder, "empty");
    await mkdir(empty, { recursive: true });
    await expect(start(python, empty)).rejects.toMatchObject({
      code: "worker-died",
      message: expect.stringMatching(/exit code 1[\s\S]*No module named '?whetstone_engine/),
    });
  });

  test("writes nothing into its log while all is well", async () => {
    await using worker = await start(python);
    for (let index = 0; index < 100; index++) await worker.call("stats", {});
    expect(await readFile(join(folder, "logs", "worker-20260101T000000000Z-1.log"), "utf8")).toBe("");
  });
});
