import { readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EngineModel } from "../../../foundation/contract/index.ts";
import type { LocalEngine } from "./index.ts";
import { packageFolder } from "./installation.ts";
import {
  config,
  counting,
  processOfWorker,
  requestsOf,
  SmallEngines,
  train,
  vocabulary,
} from "./testing/small-engine.ts";
import { Worker } from "./worker.ts";
import { openWorkerLog } from "./worker-log.ts";

let engines: SmallEngines;
let engine: LocalEngine;
beforeAll(async () => {
  engines = await SmallEngines.make();
  engine = engines.open(2);
}, 600_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await engines[Symbol.asyncDispose]();
});
const newModel = (seed: number, on = engine): Promise<EngineModel> => engines.newModel(seed, on);

describe("LocalEngine", () => {
  test("gives a large model all threads, in the worker that said what the engine can do", async () => {
    const logs = join(engines.folder, "large-logs");
    const path = join(engines.folder, "large-model");
    await mkdir(path);
    // Large for its table of positions alone.
    const large = { ...config, position_embedding_type: "learned", max_position_embeddings: 700_000 };
    await writeFile(join(path, "config.json"), JSON.stringify(large));
    const sampled = async (threads: number, source: string): Promise<number[][]> => {
      await using one = engines.open(2, logs, threads);
      await one.capabilities();
      await using sampler = await one.loadSampler({ source: { kind: "folder", path: source, seed: 1 } });
      const samples = (await sampler.sample(requestsOf(40))).flat();
      expect(samples.length).toBeGreaterThan(60);
      return samples.map(({ tokens }) => [...tokens]);
    };
    const alone = await sampled(1, path);
    expect(await sampled(3, path)).toEqual(alone);
    expect(readdirSync(logs)).toHaveLength(2);
    await sampled(3, engines.modelFolder);
    expect(readdirSync(logs)).toHaveLength(4);
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
      source: { kind: "folder", path: engines.modelFolder, seed: 1 },
      signal: late.signal,
    });
    late.abort(new Error("too late"));
    await expect(created).rejects.toThrow("too late");
  });

  test("a worker killed in the middle of a step takes only its own models along", async () => {
    const logFolder = join(engines.folder, "doomed");
    await using doomed = engines.open(2, logFolder);
    const first = await newModel(1, doomed);
    const second = await newModel(2, doomed);
    const sampler = await doomed.loadSampler({
      source: { kind: "folder", path: engines.modelFolder, seed: 1 },
    });
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

  test("what is given back is not waited for: its worker may be in the middle of a long call", async () => {
    const logFolder = join(engines.folder, "busy");
    await using busy = engines.open(1, logFolder);
    const model = await newModel(1, busy);
    const sampler = await model.snapshot();
    process.kill(processOfWorker(logFolder, 1), "SIGSTOP");
    await sampler[Symbol.asyncDispose]();
    await model[Symbol.asyncDispose]();
    process.kill(processOfWorker(logFolder, 1), "SIGCONT");
    await expect(sampler.sample(requestsOf(1))).rejects.toMatchObject({ code: "unknown-sampler" });
  });

  test("a worker that is stuck with nothing to do gets no model: it is ended, and another takes its place", async () => {
    const logFolder = join(engines.folder, "stuck");
    await using one = engines.open(1, logFolder, 1, 300);
    const lost = await newModel(1, one);
    process.kill(processOfWorker(logFolder, 1), "SIGSTOP");
    await using model = await newModel(2, one);
    expect((await train(model, 2)).every(Number.isFinite)).toBe(true);
    await expect(lost.optimStep({ learningRate: 1 })).rejects.toMatchObject({
      code: "worker-silent",
      category: "engine",
      message: expect.stringContaining("0.3 s"),
    });
  });

  test("a worker that computes is not asked whether it is there, however long it takes", async () => {
    const logFolder = join(engines.folder, "patient");
    await using two = engines.open(2, logFolder, 1, 200);
    const first = await newModel(1, two);
    const losses = train(first, 20);
    process.kill(processOfWorker(logFolder, 1), "SIGSTOP");
    await using second = await newModel(2, two);
    expect((await train(second, 2)).every(Number.isFinite)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 400));
    process.kill(processOfWorker(logFolder, 1), "SIGCONT");
    expect((await losses).every(Number.isFinite)).toBe(true);
  });

  test("takes no call after it was closed", async () => {
    const logFolder = join(engines.folder, "closing");
    const closing = engines.open(1, logFolder);
    const model = await newModel(1, closing);
    // A worker that does not come to its end by itself is ended.
    process.kill(processOfWorker(logFolder, 1), "SIGSTOP");
    const rejected = expect(train(model, 3)).rejects.toMatchObject({ code: "engine-closed" });
    await closing[Symbol.asyncDispose]();
    await rejected;
    await expect(newModel(1, closing)).rejects.toMatchObject({ code: "engine-closed" });
  });
});

describe("Worker", () => {
  const start = (program: string, source = packageFolder) =>
    Worker.start({
      python: program,
      packageFolder: source,
      threads: 1,
      log: openWorkerLog(join(engines.folder, "logs"), "20260101T000000000Z", 1),
      environment: process.env,
    });

  test("that cannot be started is a named error", async () => {
    await expect(start(join(engines.folder, "no-python"))).rejects.toMatchObject({
      code: "worker-not-started",
      category: "environment",
    });
  });

  test("that dies while starting shows the end of its log", async () => {
    const empty = join(engines.folder, "empty");
    await mkdir(empty, { recursive: true });
    await expect(start(engines.python, empty)).rejects.toMatchObject({
      code: "worker-died",
      message: expect.stringMatching(/exit code 1[\s\S]*No module named '?whetstone_engine/),
    });
  });

  test("writes nothing into its log while all is well", async () => {
    await using worker = await start(engines.python);
    for (let index = 0; index < 100; index++) await worker.call("stats", {});
    expect(await readFile(join(engines.folder, "logs", "worker-20260101T000000000Z-1.log"), "utf8")).toBe("");
  });
});
