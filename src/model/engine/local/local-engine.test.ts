import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Datum, EngineModel, SampleRequest } from "../../../foundation/contract/index.ts";
import { type LocalEngine, local } from "./index.ts";
import { config, counting, requestsOf, SmallEngines, train, vocabulary } from "./testing/small-engine.ts";

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

  test.each(["fp32", "mixed", "bf16"] as const)(
    "a small model in %s is as near as arithmetic in fp32",
    async (precision) => {
      await using model = await engines.newModel(1, engine, precision);
      const gradient = precision === "bf16" ? 0.01 : 1e-4;
      expect(model.info.tolerance).toEqual({ logprob: 1e-4, meanLogprob: 1e-4, gradient });
    },
  );

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
    await using one = engines.open(1);
    const requests = [...requestsOf(90), ...requestsOf(60, { temperature: 0.5, topK: 3, stopTokens: [2] })];
    const source = { kind: "folder", path: engines.modelFolder, seed: 5 } as const;
    await using shared = await engine.loadSampler({ source });
    await using alone = await one.loadSampler({ source });
    expect(shared.weightVersion).toBe(`${engines.modelFolder}#5`);
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
      source: { kind: "folder", path: engines.modelFolder, seed: 5 },
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
    const path = join(engines.folder, "checkpoint");
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

  test("names what is wrong with a model's folder", async () => {
    const broken = join(engines.folder, "broken");
    await mkdir(broken);
    const create = () => engine.createModel({ source: { kind: "folder", path: broken, seed: 1 } });
    await expect(create()).rejects.toMatchObject({ code: "config-missing", category: "user" });
    await writeFile(join(broken, "config.json"), JSON.stringify({ ...config, model_type: "mamba" }));
    await expect(create()).rejects.toMatchObject({ code: "unsupported-architecture", category: "user" });
    await expect(
      engine.loadSampler({ source: { kind: "folder", path: engines.modelFolder } }),
    ).rejects.toMatchObject({ code: "weights-missing" });
  });
});

describe("local()", () => {
  test("refuses what it does not know, and names the nearest right option", () => {
    expect(() => local({ worker: 2 } as never)).toThrow(
      'there is no option "worker"; did you mean "workers"?',
    );
    expect(() => local({ workers: 0 })).toThrow(expect.objectContaining({ code: "invalid-option" }));
    expect(local({ workers: 3 })).toMatchObject({ name: "local", description: { workers: 3 } });
  });
});
