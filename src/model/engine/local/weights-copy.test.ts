import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Sampler } from "../../../foundation/contract/index.ts";
import { type LocalEngine, local } from "./index.ts";
import { processOfWorker, requestsOf, SmallEngines, train } from "./testing/small-engine.ts";
import { Worker } from "./worker.ts";

let engines: SmallEngines;
beforeAll(async () => {
  engines = await SmallEngines.make();
}, 600_000);
afterAll(() => engines[Symbol.asyncDispose]());

const much = { tokens: 1e6, whileTraining: false };
const meanwhile = { tokens: 1, whileTraining: true };
const sequences = [Int32Array.from([1, 2, 3, 4, 5, 6, 7])];
const tokensOf = async (sampler: Sampler): Promise<number[][]> =>
  (await sampler.sample(requestsOf(60, { temperature: 0 }))).flat().map(({ tokens }) => [...tokens]);
const logprobsOf = async (sampler: Sampler): Promise<number[]> => {
  const [logprobs] = await sampler.logprobs(sequences);
  return [...(logprobs as Float32Array).subarray(1)];
};
const asked = vi.spyOn(Worker.prototype, "call");
const copies = (): number => asked.mock.calls.filter(([verb]) => verb === "copy").length;
beforeEach(() => {
  asked.mockClear();
});

describe("a copy of weights for workers that are idle", () => {
  let engine: LocalEngine;
  beforeAll(async () => {
    engine = engines.open(2);
    // Both workers are there from now on.
    const models = await Promise.all([1, 2].map((seed) => engines.newModel(seed, engine)));
    await Promise.all(models.map((model) => model[Symbol.asyncDispose]()));
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  test.each([
    ["beside the model's own worker", much],
    ["in its place while the model learns", meanwhile],
  ])("samples %s as the model itself does, and stays as it is", async (_, expected) => {
    await using model = await engines.newModel(3, engine);
    await train(model, 5);
    await using own = await model.snapshot();
    await using copied = await model.snapshot({ expected });
    await train(model, 5);
    await using later = await model.snapshot();
    const logprobs = await logprobsOf(own);
    for (const [index, logprob] of (await logprobsOf(copied)).entries())
      expect(logprob).toBeCloseTo(logprobs[index] as number, 4);
    expect(await tokensOf(copied)).toEqual(await tokensOf(own));
    expect(await logprobsOf(later)).not.toEqual(logprobs);
    expect(copied.weightVersion).toBe(own.weightVersion);
    expect(copies()).toBe(1);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("whetstone-copy-"))).toEqual([]);
  });

  test("goes on with the worker of the model where the other one dies", async () => {
    const logs = `${engines.folder}/dying`;
    await using dying = engines.open(2, logs);
    await using model = await engines.newModel(3, dying);
    await train(model, 2);
    await using own = await model.snapshot();
    await using copied = await model.snapshot({ expected: meanwhile });
    const expected = await tokensOf(own);
    expect(await tokensOf(copied)).toEqual(expected);
    const numbers = readdirSync(logs).map((name) => Number(/-(\d+)\.log$/.exec(name)?.[1]));
    const processes = numbers.map((number) => processOfWorker(logs, number));
    await using other = await engines.newModel(4, dying);
    // The last that was started holds no model but the second.
    expect(processes).toHaveLength(2);
    process.kill(processes[1] as number, "SIGKILL");
    await expect(train(other, 1)).rejects.toMatchObject({ category: "engine" });
    expect(await tokensOf(copied)).toEqual(expected);
  });

  test("is none where every worker has a model, where little is to be sampled, and where bits must be equal", async () => {
    await using first = await engines.newModel(3, engine);
    await using few = await first.snapshot({ expected: { tokens: 1000, whileTraining: false } });
    await using second = await engines.newModel(4, engine);
    await using busy = await second.snapshot({ expected: much });
    await using exact = await local({ workers: 2, deterministic: true }).open({
      logFolder: `${engines.folder}/exact`,
    });
    await using third = await exact.createModel({
      source: { kind: "folder", path: engines.modelFolder, seed: 3 },
    });
    await using equal = await third.snapshot({ expected: meanwhile });
    expect(await tokensOf(few)).toEqual(await tokensOf(equal));
    expect(await tokensOf(busy)).not.toEqual(await tokensOf(equal));
    expect(copies()).toBe(0);
  });
});
