import { expect, test } from "vitest";
import type {
  Datum,
  Engine,
  EngineCapabilities,
  Sampler,
  TokenIds,
} from "../../../foundation/contract/index.ts";
import { readArrays, tinker, writeFeatures, writeReading } from "../tinker/index.ts";
import { modelName, plainPass, type Served, served, tinyFolder } from "./testing/wire-client.ts";

const source = { kind: "folder", path: tinyFolder } as const;
const crossEntropy = { name: "cross_entropy" } as const;
const sequences = [Int32Array.of(3, 4, 5), Int32Array.of(6), Int32Array.of(7, 8, 9, 10)];
const datum = (...tokens: number[]): Datum => ({
  tokens: Int32Array.from(tokens.slice(0, -1)),
  targets: Int32Array.from(tokens.slice(1)),
  weights: Float32Array.from(tokens.slice(1), (_, at) => 1 - at / 2),
});
const data = [datum(3, 4, 5, 6), datum(7, 8), datum(9, 3, 4)];

/** A table has no hidden state: of this one the tokens' sum, or the last token, stands for it. */
function embedding(inner: Engine, heard: (AbortSignal | undefined)[] = [], hang = false): Engine {
  const withEmbed = (sampler: Sampler): Sampler =>
    Object.assign(sampler, {
      embed: async (given: readonly TokenIds[], options: { pooling: string; signal?: AbortSignal }) => {
        heard.push(options.signal);
        const { signal } = options;
        if (hang)
          await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
        return given.map((tokens) =>
          options.pooling === "last"
            ? Float32Array.of(tokens.at(-1) as number, tokens.length)
            : Float32Array.of(tokens.reduce((sum, one) => sum + one, 0) / tokens.length, tokens.length),
        );
      },
    });
  const [load, says] = [inner.loadSampler.bind(inner), inner.capabilities.bind(inner)];
  return Object.assign(inner, {
    capabilities: async (): Promise<EngineCapabilities> => ({
      ...(await says()),
      extensions: ["embeddings", "certainty", "gradient-features"],
    }),
    loadSampler: async (options: Parameters<typeof load>[0]) => withEmbed(await load(options)),
  });
}

const open = (one: Served): Promise<Engine> =>
  tinker({ baseUrl: one.server.url, apiKey: "k", model: modelName }).open({ logFolder: "unused" });
const reading = (samplerId: string, sequence: number, more: object = {}): Uint8Array =>
  writeReading({
    samplerId,
    sequence,
    sequences: sequences.map((tokens) => [{ kind: "tokens", tokens }]),
    pooling: "mean",
    ...more,
  });

test("what the engine computes arrives as it is, and in order", async () => {
  await using one = await served({}, embedding);
  await using engine = await open(one);
  expect((await engine.capabilities()).extensions).toEqual(["embeddings", "certainty", "gradient-features"]);
  await using far = await engine.loadSampler({ source });
  // As the folder's config has it.
  await using near = await one.engine.loadSampler({ source: { ...source, seed: 17 } });
  for (const pooling of ["mean", "last"] as const)
    expect(await far.embed?.(sequences, { pooling })).toEqual(await near.embed?.(sequences, { pooling }));
  expect(await far.certainty?.(sequences)).toEqual(await near.certainty?.(sequences));
  // More than one request holds, and none at all.
  const many = Array.from({ length: 600 }, (_, index) => Int32Array.of(3 + (index % 40), 4));
  expect(await far.embed?.(many, { pooling: "mean" })).toEqual(await near.embed?.(many, { pooling: "mean" }));
  expect(await far.embed?.([], { pooling: "mean" })).toEqual([]);

  const [model, direct] = [
    await engine.createModel({ source: { ...source, seed: 0 } }),
    await one.engine.createModel({ source: { ...source, seed: 0 } }),
  ];
  const features = { loss: crossEntropy, dimensions: 70, seed: 2 ** 47 + 3 };
  expect(await model.gradientFeatures?.(data, features)).toEqual(
    await direct.gradientFeatures?.(data, features),
  );
  // It has its turn: not waited for, it is of the weights between two steps.
  const step = { learningRate: 0.5 };
  await direct.forwardBackward(data, { loss: crossEntropy });
  await direct.optimStep(step);
  void model.forwardBackward(data, { loss: crossEntropy });
  const first = model.optimStep(step);
  const between = model.gradientFeatures?.(data, features);
  void model.forwardBackward(data, { loss: crossEntropy });
  const second = model.optimStep(step);
  expect(await between).toEqual(await direct.gradientFeatures?.(data, features));
  expect([await first, await second]).toMatchObject([{ sequence: 2 }, { sequence: 4 }]);
});

test("what is wrong is said in words, by the client before it is sent and by the server", async () => {
  await using one = await served({}, embedding);
  await using engine = await open(one);
  await using sampler = await engine.loadSampler({ source });
  const model = await engine.createModel({ source });
  const outside = [Int32Array.of(3, 999)];
  await expect(sampler.embed?.(outside, { pooling: "mean" })).rejects.toMatchObject({
    code: "token-out-of-range",
  });
  await expect(sampler.certainty?.([new Int32Array()])).rejects.toMatchObject({ code: "bad-request" });
  for (const wrong of [{ dimensions: 0 }, { dimensions: 1.5 }, { seed: -1 }])
    await expect(
      model.gradientFeatures?.(data, { loss: crossEntropy, dimensions: 8, seed: 1, ...wrong }),
    ).rejects.toMatchObject({ code: "bad-request" });

  const { client } = one;
  const id = await client.sampler(0, { base_model: modelName });
  const asked = async (path: string, body: Uint8Array) => client.result(await client.postBytes(path, body));
  let sequence = 0;
  const chunks = (...tokens: number[]) => [{ kind: "tokens", tokens: Int32Array.from(tokens) }];
  for (const [path, more, words] of [
    ["embed", { sequences: [] }, "from 1 to 4096 sequences, not 0"],
    ["embed", { sequences: Array.from({ length: 4097 }, () => chunks(3)) }, "not 4097"],
    ["embed", { pooling: "max" }, 'mean or last, not "max"'],
    ["certainty", {}, "takes no pooling"],
    ["certainty", { pooling: "", sequences: [[{ kind: "image" }]] }, "takes token ids only"],
    ["certainty", { pooling: "", sequences: [chunks(3, 999)] }, "999"],
  ] as const)
    expect((await asked(`whetstone/${path}`, reading(id, sequence++, more))).body, words).toMatchObject({
      category: "user",
      error: expect.stringContaining(words),
    });
  const json = await client.post("whetstone/embed", {});
  expect([json.status, json.body.code]).toEqual([415, "unsupported-type"]);
  expect((await client.postBytes("whetstone/embed", Buffer.from("rubbish"))).status).toBe(400);
  expect((await client.postBytes("whetstone/embed", reading("nobody:sample:0", 0))).status).toBe(404);

  // A broken request uses its number up, and the next one runs.
  const modelId = await client.model(7);
  const features = (number: number, more: object = {}) =>
    writeFeatures({ pass: { ...plainPass, modelId, sequence: number }, dimensions: 8, seed: 1, ...more });
  const path = "whetstone/gradient_features";
  expect((await asked(path, features(1).subarray(0, -30))).body).toMatchObject({ category: "user" });
  expect((await asked(path, features(2, { dimensions: 2 ** 24 }))).body).toMatchObject({
    category: "user",
    error: expect.stringContaining("ask in several"),
  });
  expect(readArrays((await asked(path, features(3))).bytes).features).toHaveLength(2);
  expect(one.faults).toEqual([]);
});

test("a request that comes again has the same answer, and another under its number none", async () => {
  const heard: (AbortSignal | undefined)[] = [];
  await using one = await served({}, (inner) => embedding(inner, heard));
  const { client } = one;
  const id = await client.sampler(0, { base_model: modelName });
  const ask = async (path: string, body: Uint8Array) => client.result(await client.postBytes(path, body));
  const first = await ask("whetstone/embed", reading(id, 0));
  expect(await ask("whetstone/embed", reading(id, 0))).toEqual(first);
  expect(heard).toHaveLength(1);
  expect((await ask("whetstone/embed", reading(id, 0, { pooling: "last" }))).body.code).toBe(
    "sequence-conflict",
  );
  // Numbers are those of all that is asked of a sampler.
  expect((await client.sample(id, 0)).answer.body.code).toBe("sequence-conflict");
});

test("an engine without an extension says so, and nobody without the key is told even that", async () => {
  await using one = await served();
  const { client } = one;
  const id = await client.sampler(0, { base_model: modelName });
  const answer = await client.result(await client.postBytes("whetstone/embed", reading(id, 0)));
  expect(answer.body).toMatchObject({
    code: "unsupported",
    category: "user",
    error: expect.stringContaining('(tabular) has no extension "embeddings"'),
  });
  await using engine = await open(one);
  expect((await engine.capabilities()).extensions).toEqual(["certainty", "gradient-features"]);
  await using sampler = await engine.loadSampler({ source });
  await expect(sampler.embed?.(sequences, { pooling: "mean" })).rejects.toMatchObject({
    code: "unsupported",
  });
  for (const path of ["embed", "certainty", "gradient_features"]) {
    const stranger = await fetch(`${one.server.url}/api/v1/whetstone/${path}`, { method: "POST" });
    expect([stranger.status, await stranger.json()]).toEqual([401, { error: "unauthorized" }]);
  }
});

test("what a client asked for ends when it goes", async () => {
  const heard: (AbortSignal | undefined)[] = [];
  await using one = await served({}, (inner) => embedding(inner, heard, true));
  const { client } = one;
  const id = await client.sampler(0, { base_model: modelName });
  await client.postBytes("whetstone/embed", reading(id, 0));
  await expect.poll(() => heard).toHaveLength(1);
  expect(heard[0]?.aborted).toBe(false);
  await client.post(`sessions/${client.session}/finish`, {});
  expect(heard[0]?.aborted).toBe(true);
  expect(heard[0]?.reason).toMatchObject({ code: "session-ended" });
  expect(one.faults).toEqual([]);
});
