import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Datum, EngineModel, Sampler } from "../../../foundation/contract/index.ts";
import type { LocalEngine } from "./index.ts";
import { counting, requestsOf, SmallEngines, vocabulary } from "./testing/small-engine.ts";

let engines: SmallEngines;
let engine: LocalEngine;
let sampler: Sampler;
beforeAll(async () => {
  engines = await SmallEngines.make();
  engine = engines.open(2);
  sampler = await engine.loadSampler({ source: { kind: "folder", path: engines.modelFolder, seed: 3 } });
}, 600_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await engines[Symbol.asyncDispose]();
});

const line = (length: number, start = 0): Int32Array =>
  Int32Array.from({ length }, (_, index) => (start + 5 * index) % vocabulary);
const lines = [
  line(1),
  line(9),
  line(4, 2),
  line(30, 7),
  ...Array.from({ length: 40 }, (_, n) => line(12, n)),
];
const badRequest = { code: "bad-request", category: "engine" };

describe("the most probable tokens", () => {
  test("of given sequences, whichever worker reads them", async () => {
    const scored = await sampler.score?.(lines, { top: vocabulary });
    const plain = await sampler.logprobs(lines);
    expect(scored).toHaveLength(lines.length);
    for (const [index, { logprobs, top }] of (scored ?? []).entries()) {
      const tokens = lines[index] as Int32Array;
      expect(logprobs).toEqual(plain[index]);
      expect(top?.k).toBe(vocabulary);
      expect(top?.tokens).toHaveLength(tokens.length * vocabulary);
      expect(top?.logprobs.subarray(0, vocabulary).every(Number.isNaN)).toBe(true);
      for (let position = 1; position < tokens.length; position++) {
        const row = [position * vocabulary, (position + 1) * vocabulary] as const;
        const ids = [...(top?.tokens.subarray(...row) ?? [])];
        const told = [...(top?.logprobs.subarray(...row) ?? [])];
        expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: vocabulary }, (_, id) => id));
        expect(told).toEqual(told.toSorted((a, b) => b - a));
        expect(told.reduce((sum, logprob) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 4);
        expect(told[ids.indexOf(tokens[position] as number)]).toBeCloseTo(logprobs[position] as number, 4);
      }
    }
    expect((await sampler.score?.(lines))?.every(({ top }) => top === undefined)).toBe(true);
  });

  test("of samples, in one call with requests that want none or fewer", async () => {
    const plain = requestsOf(60);
    const asked = plain.map(({ parameters, ...request }, index) => ({
      ...request,
      parameters: { ...parameters, topLogprobs: index % 4 },
    }));
    const [before, after] = [await sampler.sample(plain), await sampler.sample(asked)];
    for (const [index, samples] of after.entries())
      for (const [place, sample] of samples.entries()) {
        expect(sample.tokens).toEqual(before[index]?.[place]?.tokens);
        const k = index % 4;
        expect(sample.top?.k ?? 0).toBe(k);
        expect(sample.top?.tokens.length ?? 0).toBe(k * sample.tokens.length);
        for (const [at, token] of sample.tokens.entries()) {
          const rank = [...(sample.top?.tokens.subarray(at * k, (at + 1) * k) ?? [])].indexOf(token);
          if (rank >= 0)
            expect(sample.top?.logprobs[at * k + rank]).toBeCloseTo(sample.logprobs[at] as number, 4);
        }
      }
  });

  test.each([vocabulary + 1, 65, -1, 0.5])("%d of them are refused", async (top) => {
    await expect(sampler.score?.(lines, { top })).rejects.toMatchObject(badRequest);
    const [request] = requestsOf(1, { topLogprobs: top });
    await expect(sampler.sample(request === undefined ? [] : [request])).rejects.toMatchObject(badRequest);
  });
});

test("certainty and embeddings come back in the order of the sequences", async () => {
  const certainty = await sampler.certainty?.(lines);
  const means = await sampler.embed?.(lines, { pooling: "mean" });
  const lasts = await sampler.embed?.(lines, { pooling: "last" });
  for (const [index, tokens] of lines.entries()) {
    const [alone] = (await sampler.certainty?.([tokens])) ?? [];
    const { entropy, selfCertainty } = certainty?.[index] ?? alone ?? {};
    expect(entropy).toHaveLength(tokens.length);
    expect(entropy?.[0]).toBeNaN();
    for (let at = 1; at < tokens.length; at++) {
      expect(entropy?.[at]).toBeCloseTo(alone?.entropy[at] as number, 4);
      expect(selfCertainty?.[at]).toBeCloseTo(alone?.selfCertainty[at] as number, 4);
      expect(entropy?.[at]).toBeLessThanOrEqual(Math.log(vocabulary));
      expect(selfCertainty?.[at]).toBeGreaterThanOrEqual(0);
    }
    const [last] = (await sampler.embed?.([tokens], { pooling: "last" })) ?? [];
    expect(lasts?.[index]).toHaveLength(32);
    for (const [place, value] of (lasts?.[index] ?? []).entries())
      expect(last?.[place]).toBeCloseTo(value, 4);
    if (tokens.length === 1) expect(means?.[index]).toEqual(lasts?.[index]);
  }
  expect(await sampler.certainty?.([])).toEqual([]);
});

test("rubbish is refused by name, and the worker goes on", async () => {
  const empty = [new Int32Array(0)];
  const outside = [Int32Array.of(0, vocabulary)];
  for (const call of [
    (given: Int32Array[]) => sampler.score?.(given, { top: 2 }),
    (given: Int32Array[]) => sampler.certainty?.(given),
    (given: Int32Array[]) => sampler.embed?.(given, { pooling: "last" }),
  ]) {
    await expect(call(empty)).rejects.toMatchObject(badRequest);
    await expect(call(outside)).rejects.toMatchObject({ code: "token-out-of-range" });
    await expect(call([line(70)])).rejects.toMatchObject({ code: "too-long" });
  }
  await expect(sampler.embed?.(lines, { pooling: "max" as "mean" })).rejects.toMatchObject(badRequest);
  const aborted = AbortSignal.abort(new Error("enough"));
  await expect(sampler.certainty?.(lines, { signal: aborted })).rejects.toThrow("enough");
  expect(await sampler.certainty?.(lines)).toHaveLength(lines.length);
});

describe("gradient features", () => {
  const loss = { name: "cross_entropy" } as const;
  const features = (model: EngineModel, data: readonly Datum[], dimensions: number, seed = 1) =>
    model.gradientFeatures?.(data, { loss, dimensions, seed });

  test("are each datum's own, and leave model and gradients as they were", async () => {
    await using model = await engines.newModel(4, engine);
    const data = counting(3);
    const all = (await features(model, data, 50)) ?? [];
    expect(all.map(({ length }) => length)).toEqual([50, 50, 50]);
    const [second] = (await features(model, data.slice(1, 2), 50)) ?? [];
    for (const [at, value] of (second ?? []).entries()) expect(all[1]?.[at]).toBeCloseTo(value, 3);
    const [other] = (await features(model, data.slice(1, 2), 50, 2)) ?? [];
    expect(other).not.toEqual(second);
    expect((await model.optimStep({ learningRate: 0 })).gradientNorm).toBe(0);
  });

  test.each([0, -3, 1.5, 2 ** 17])("%d dimensions are refused", async (dimensions) => {
    await using model = await engines.newModel(4, engine);
    await expect(features(model, counting(1), dimensions)).rejects.toMatchObject(badRequest);
    await expect(features(model, [], 4)).rejects.toMatchObject(badRequest);
  });
});

test("what is given back while it is sampled from is sampled to its end, with the weights as they were", async () => {
  await using model = await engines.newModel(6, engine);
  const snapshot = await model.snapshot();
  const requests = requestsOf(200, { maxTokens: 40 });
  const expected = await snapshot.sample(requests);
  const sampling = snapshot.sample(requests);
  await snapshot[Symbol.asyncDispose]();
  await model.forwardBackward(counting(vocabulary), { loss: { name: "cross_entropy" } });
  await model.optimStep({ learningRate: 0.5 });
  expect(await sampling).toEqual(expected);
  await expect(snapshot.sample(requests)).rejects.toMatchObject({ code: "unknown-sampler" });
});
