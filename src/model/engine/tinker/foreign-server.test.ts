import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Datum, Engine, EngineCapabilities } from "../../../foundation/contract/index.ts";
import { checkNeeds } from "../index.ts";
import { modelName, type Served, served, tinyFolder } from "../serve/testing/wire-client.ts";
import { foreignSeed } from "./foreign-data.ts";
import { tinker } from "./index.ts";
import { type SkyrlLike, type SkyrlLikeOptions, skyrlLike } from "./testing/skyrl-like.ts";

// A probe is a few hundred requests, on a machine that other tests share.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

let inner: Served;
beforeAll(async () => {
  inner = await served();
});
afterAll(async () => {
  await inner[Symbol.asyncDispose]();
});

const start = (options: Partial<SkyrlLikeOptions> = {}): Promise<SkyrlLike> =>
  skyrlLike({ inner: { url: inner.server.url, key: "k" }, ...options });
const open = (server: SkyrlLike, more: { readonly probe?: boolean } = { probe: false }): Promise<Engine> =>
  tinker({ baseUrl: server.url, apiKey: "k", model: modelName, ...more }).open({
    logFolder: join(inner.folder, "logs"),
  });
const source = { kind: "folder", path: tinyFolder } as const;
const adapters = { source, lora: { rank: 4 } };
const crossEntropy = { name: "cross_entropy" } as const;

const datum = (weights: readonly number[], more: Partial<Datum> = {}): Datum => ({
  tokens: Int32Array.of(3, 4, 5),
  targets: Int32Array.of(4, 5, 6),
  weights: Float32Array.from(weights),
  ...more,
});

describe.each([{ jsonOnly: false }, { jsonOnly: true }])("the dialect of SDK 0.25, %o", ({ jsonOnly }) => {
  test("a story of training, saving, loading and sampling", async () => {
    await using server = await start({ jsonOnly, rescales: false, sharesPlace: false, tellsNorm: false });
    await using engine = await open(server);
    const model = await engine.createModel(adapters);
    const { lossSum, logprobs } = await model.forwardBackward([datum([1, 0.5, 0])], { loss: crossEntropy });
    const [first = new Float32Array()] = logprobs;
    expect(lossSum).toBeCloseTo(-(first[0] as number) - 0.5 * (first[1] as number), 5);
    expect(await model.optimStep({ learningRate: 0.1 })).toMatchObject({ step: 1, gradientNorm: Number.NaN });

    const sampler = await model.snapshot();
    const text = Int32Array.of(3, 4, 5, 6);
    const [before = new Float32Array()] = await sampler.logprobs([text]);
    expect(before.length).toBe(4);
    expect(before[0]).toBeNaN();
    const now = await model.forward([datum([1, 1, 1])], { loss: crossEntropy });
    for (const [at, value] of now.logprobs[0]?.entries() ?? []) expect(before[at + 1]).toBeCloseTo(value, 5);
    const [[drawn] = []] = await sampler.sample([
      { prompt: Int32Array.of(3), samples: 1, seed: 1, parameters: { maxTokens: 3 } },
    ]);
    expect(drawn).toMatchObject({ stopReason: "length" });
    expect(drawn?.tokens.length).toBe(3);
    expect(drawn?.logprobs.every(Number.isFinite)).toBe(true);

    const path = join(inner.folder, `saved-${jsonOnly}`);
    await model.save({ path });
    const again = await engine.createModel({ source: { kind: "checkpoint", path, optimizer: true } });
    expect(again.info.step).toBe(1);
    expect(server.requests).toContain("POST weights_info");
    for (const one of [model, again]) await one.optimStep({ learningRate: 0.1, epsilon: 1e-2 });
    const [went, goes] = await Promise.all(
      [model, again].map((one) => one.forward([datum([1, 1, 1])], { loss: crossEntropy })),
    );
    expect(Array.from(goes?.logprobs[0] ?? [])).toEqual(Array.from(went?.logprobs[0] ?? []));
    expect(went?.logprobs[0]?.[0]).not.toBeCloseTo(now.logprobs[0]?.[0] as number, 3);

    // Whatever the model has learnt since, both are as they were.
    await using saved = await engine.loadSampler({ source: { kind: "checkpoint", path, optimizer: false } });
    for (const one of [sampler, saved])
      expect(Array.from((await one.logprobs([text]))[0] ?? [])).toEqual(Array.from(before));
    if (jsonOnly) expect(server.requests).toContain("POST forward");
    await sampler[Symbol.asyncDispose]();
    expect(server.requests.some((one) => one.startsWith("DELETE training_runs/"))).toBe(true);
  });
});

test("what the server would not look at is refused before it is sent", async () => {
  await using server = await start();
  await using engine = await open(server);
  const model = await engine.createModel(adapters);
  await using sampler = await model.snapshot();
  const sent = server.requests.length;
  const outside = datum([1, 1, 1], { targets: Int32Array.of(4, 5, 999) });
  const masked = datum([1, 1, 1], {
    advantages: new Float32Array(3).fill(1),
    logprobs: new Float32Array(3).fill(-3),
    mask: Float32Array.of(1, 0, 1),
  });
  await expect(model.forward([outside], { loss: crossEntropy })).rejects.toMatchObject({
    code: "token-out-of-range",
  });
  await expect(model.forwardBackward([masked], { loss: { name: "dro" } })).rejects.toMatchObject({
    code: "bad-request",
  });
  await expect(sampler.logprobs([Int32Array.of(999)])).rejects.toMatchObject({ code: "token-out-of-range" });
  await expect(sampler.logprobs([new Int32Array()])).rejects.toMatchObject({ code: "bad-request" });
  // The API has no word for these, and where it has one servers drop it.
  const request = { prompt: Int32Array.of(3), samples: 1, seed: 1 };
  await expect(
    sampler.sample([{ ...request, parameters: { maxTokens: 1, minP: 0.1 } }]),
  ).rejects.toMatchObject({ code: "bad-request", message: expect.stringContaining("minP is 0.1") });
  const bounded = { ...masked, mask: new Float32Array(3).fill(1), clipHigh: new Float32Array(3).fill(1.1) };
  await expect(model.forwardBackward([bounded], { loss: { name: "ppo" } })).rejects.toMatchObject({
    code: "bad-request",
    message: expect.stringContaining("bounds of its own"),
  });
  await expect(engine.createModel({ source, lora: { rank: 4, alpha: 8 } })).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("alpha is 8"),
  });
  expect(server.requests.length).toBe(sent);
  expect((await engine.capabilities()).untested.join()).toContain("its precision");
  // What the server itself refuses is said with what to ask for instead.
  await expect(engine.createModel({ source })).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(/all of its weights.*LoRA rank must be at least 1.*lora: \{ rank: 8 \}/s),
  });
  // The message of a failed operation, which comes as a plain 400.
  await expect(
    model.forwardBackward([datum([1, 1, 1])], { loss: { name: "cross_entropy", clipLow: 1 } as never }),
  ).rejects.toMatchObject({ code: "bad-request" });
});

test("parts of a model are trained where the server confirms them, and refused where it does not", async () => {
  const parts = { source, lora: { rank: 4, alpha: 32, modules: ["mlp"] } } as const;
  await using silent = await start();
  await using without = await open(silent);
  await expect(without.createModel(parts)).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("does not confirm that its adapters are on mlp and nothing else"),
  });
  await using telling = await start({ keepsModules: true });
  await using engine = await open(telling);
  const model = await engine.createModel(parts);
  expect(await model.optimStep({ learningRate: 0.1 })).toMatchObject({ step: 1, sequence: 1 });
});

test("masks become a part of the advantages, and defaults are spelled out", async () => {
  await using server = await start({ rescales: false });
  await using engine = await open(server);
  const direct = await tinker({ baseUrl: inner.server.url, apiKey: "k", model: modelName }).open({
    logFolder: "unused",
  });
  const masked = datum([], {
    weights: new Float32Array(3),
    advantages: Float32Array.of(1, -2, 0.5),
    logprobs: Float32Array.of(-3, -4, -3.5),
    mask: Float32Array.of(1, 0, 1),
  });
  const after = async (one: Engine, name: "importance_sampling" | "ppo" | "cispo" | "gspo") => {
    const lora = one === engine ? { lora: { rank: 4 } } : {};
    const model = await one.createModel({ source, ...lora });
    const { lossSum, positions } = await model.forwardBackward([masked], { loss: { name } });
    await model.optimStep({ learningRate: 1, epsilon: 1 });
    const { logprobs } = await model.forward([datum([1, 1, 1])], { loss: crossEntropy });
    return [lossSum, positions, ...(logprobs[0] ?? [])];
  };
  for (const name of ["importance_sampling", "ppo", "cispo", "gspo"] as const) {
    const [foreign, ours] = [await after(engine, name), await after(direct, name)];
    for (const [at, value] of ours.entries()) expect(foreign[at], name).toBeCloseTo(value, 5);
  }
  await direct[Symbol.asyncDispose]();
});

describe("a probe", () => {
  const probed = async (server: SkyrlLike): Promise<EngineCapabilities> => {
    await using engine = await open(server, {});
    return await engine.capabilities();
  };

  test("finds that weights are rescaled: negative ones and named losses are refused, imitation goes on", async () => {
    await using server = await start();
    await using engine = await open(server, {});
    const capabilities = await engine.capabilities();
    expect(capabilities).toMatchObject({
      losses: ["cross_entropy"],
      signedWeights: false,
      gradientClipping: false,
      weightDecay: true,
      topK: true,
      topP: true,
      freshOptimizer: true,
      extensions: [],
    });
    expect(capabilities.untold).toBeUndefined();
    for (const said of [
      "negative weights: this server rescales",
      "clipping of",
      "betas of AdamW: they cannot be tried",
      "each is given a model of its own",
    ])
      expect(capabilities.untested.join()).toContain(said);
    expect(() =>
      checkNeeds({ name: "tinker", abilities: capabilities }, { losses: ["importance_sampling"] }),
    ).toThrow(expect.objectContaining({ code: "engine-lacks" }));
    const model = await engine.createModel(adapters);
    await expect(model.forwardBackward([datum([1, -1, 0])], { loss: crossEntropy })).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("rescale weights"),
    });
    expect(await model.forwardBackward([datum([1, 1, 0])], { loss: crossEntropy })).toMatchObject({
      positions: 2,
    });
    // Once: the next engine knows.
    const so = server.requests.length;
    expect(await probed(server)).toEqual(capabilities);
    expect(server.requests.length - so).toBeLessThan(10);
    const [name = ""] = await readdir(join(inner.folder, "logs", "servers"));
    const kept = JSON.parse(await readFile(join(inner.folder, "logs", "servers", name), "utf8"));
    expect(kept.faults.map(({ check }: { check: string }) => check)).toContain(
      "accumulation equals one batch",
    );
    await rm(join(inner.folder, "logs", "servers"), { recursive: true });
  });

  test("finds nothing wrong with the dialect alone", async () => {
    const whole = { rescales: false, ignoresClip: false, sharesPlace: false };
    await using server = await start({ ...whole, tellsNorm: false, jsonOnly: true });
    const found = await probed(server);
    expect(found).toMatchObject({
      untold: ["gradient-norm"],
      losses: ["cross_entropy", "importance_sampling", "ppo", "cispo", "gspo"],
      signedWeights: true,
      gradientClipping: true,
      weightDecay: true,
      topK: true,
      topP: true,
      freshOptimizer: true,
    });
    expect(found.untested.join()).not.toMatch(/betas of AdamW|samplers: this server's/);
  });

  test("finds that clips, decay and filters are ignored: they are refused, and runs that need them", async () => {
    const ignored = { ignoresDecay: true, ignoresTopK: true, ignoresTopP: true };
    await using server = await start({ rescales: false, ...ignored });
    await using engine = await open(server, {});
    const abilities = await engine.capabilities();
    const lacking = { gradientClipping: false, weightDecay: false, topK: false, topP: false };
    expect(abilities).toMatchObject({ signedWeights: true, freshOptimizer: true, ...lacking });
    for (const need of Object.keys(lacking))
      expect(() => checkNeeds({ name: "tinker", abilities }, { [need]: true })).toThrow(
        expect.objectContaining({ code: "engine-lacks" }),
      );
    const model = await engine.createModel(adapters);
    await using sampler = await model.snapshot();
    await model.forwardBackward([datum([1, 1, 0])], { loss: crossEntropy });
    const sent = server.requests.length;
    const refused = async (call: Promise<unknown>, message: string) =>
      expect(call).rejects.toMatchObject({
        code: "unsupported",
        message: expect.stringContaining(message),
      });
    const plain = { learningRate: 0.1, weightDecay: 0, gradientClipNorm: 0 };
    await refused(model.optimStep({ ...plain, gradientClipNorm: 1 }), "gradientClipNorm is 1");
    // What a step has that says nothing of it.
    await refused(model.optimStep({ learningRate: 0.1 }), "weightDecay is 0.01");
    const draw = (filter: object) =>
      sampler.sample([
        { prompt: Int32Array.of(3), samples: 1, seed: 1, parameters: { maxTokens: 1, ...filter } },
      ]);
    await refused(draw({ topK: 2 }), "topK is 2");
    await refused(draw({ topP: 0.9 }), "topP is 0.9");
    expect(server.requests.length).toBe(sent);
    expect(await model.optimStep(plain)).toMatchObject({ step: 1 });
    expect(await draw({ topP: 1 })).toHaveLength(1);
  });

  test("finds that betas and a mask are ignored: the first is said, the loss with the second refused", async () => {
    const ignored = { ignoresBetas: true, ignoresMask: true };
    await using server = await start({ rescales: false, ignoresClip: false, ...ignored });
    const { losses, untested, weightDecay } = await probed(server);
    expect(weightDecay).toBe(true);
    expect(losses).toEqual(["cross_entropy", "importance_sampling", "ppo", "cispo"]);
    expect(untested.join()).toContain("betas of AdamW: this server takes others");
  });

  test("finds that moments are always loaded, also where weights are rescaled", async () => {
    await using server = await start({ ignoresClip: false, keepsMoments: true });
    await using engine = await open(server, {});
    const abilities = await engine.capabilities();
    expect(abilities).toMatchObject({ signedWeights: false, gradientClipping: true, freshOptimizer: false });
    expect(() => checkNeeds({ name: "tinker", abilities }, { freshOptimizer: true })).toThrow(
      expect.objectContaining({ code: "engine-lacks" }),
    );
    const model = await engine.createModel(adapters);
    const save = async (name: string) => {
      const { path } = await model.save({ path: join(inner.folder, name) });
      return (optimizer: boolean) => engine.createModel({ source: { kind: "checkpoint", path, optimizer } });
    };
    const untrained = await save("untrained");
    await model.forwardBackward([datum([1, 1, 0])], { loss: crossEntropy });
    await model.optimStep({ learningRate: 0.1 });
    const trained = await save("trained");
    // Before the first step there is nothing that could be loaded too much.
    expect((await untrained(false)).info.step).toBe(0);
    expect((await trained(true)).info.step).toBe(1);
    await expect(trained(false)).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("moments whether they are wanted or not"),
    });
  });

  test("accuses no server of what it does right, whatever else it gets wrong", async () => {
    await using server = await start({ ignoresClip: false });
    expect(await probed(server)).toMatchObject({
      signedWeights: false,
      gradientClipping: true,
      freshOptimizer: true,
    });
  });

  test("finds that samplers share their model's place, and gives each a model of its own", async () => {
    await using server = await start({ rescales: false, ignoresClip: false });
    const text = Int32Array.of(3, 4, 5, 6);
    /** How far one step of its model moves what a sampler says. */
    const movedBy = async (engine: Engine): Promise<number> => {
      const model = await engine.createModel(adapters);
      await using sampler = await model.snapshot();
      const path = join(inner.folder, `place-${server.requests.length}`);
      await model.save({ path });
      await using saved = await engine.loadSampler({
        source: { kind: "checkpoint", path, optimizer: false },
      });
      const said = async () =>
        (await Promise.all([sampler, saved].map((one) => one.logprobs([text])))).flat();
      const before = await said();
      await model.forwardBackward([datum([1, 1, 1])], { loss: crossEntropy });
      await model.optimStep({ learningRate: 0.1 });
      const apart = (await said()).flatMap((values, at) =>
        Array.from(values, (value, place) => Math.abs(value - (before[at]?.[place] ?? 0))),
      );
      await model[Symbol.asyncDispose]();
      return Math.max(...apart.filter((value) => !Number.isNaN(value)));
    };
    await using unprobed = await open(server);
    expect(await movedBy(unprobed)).toBeGreaterThan(0.01);
    await using engine = await open(server, {});
    const { losses } = await engine.capabilities();
    expect(losses).toContain("importance_sampling");
    const before = server.requests.length;
    expect(await movedBy(engine)).toBe(0);
    // The model and those of its two samplers, which are given back with them.
    const asked = server.requests.slice(before);
    for (const one of ["POST create_model", "POST unload_model"])
      expect(asked.filter((request) => request === one)).toHaveLength(3);
  });

  test("refuses a server whose samplers are not what was saved, and names the check", async () => {
    await using server = await start({ rescales: false, baseOnly: true });
    await expect(probed(server)).rejects.toMatchObject({
      code: "server-unreliable",
      category: "user",
      message: expect.stringContaining("a new sampler has the newest weights"),
    });
    await using unprobed = await open(server);
    expect((await unprobed.capabilities()).losses).toContain("ppo");
  });
});

test("seeds fit what a server takes, and those of neighbours are far apart", async () => {
  await using server = await start({ sharesPlace: false });
  await using engine = await open(server);
  await using sampler = await engine.loadSampler({ source });
  const draw = async (seed: number) => {
    const request = { prompt: Int32Array.of(3), samples: 2, seed, parameters: { maxTokens: 8 } };
    const [drawn = []] = await sampler.sample([request]);
    return drawn.map(({ tokens }) => tokens.join());
  };
  const large = await draw(2 ** 47 + 1);
  expect(await draw(2 ** 47 + 1)).toEqual(large);
  expect(await draw(2 ** 47 + 2)).not.toEqual(large);
  const seeds = Array.from({ length: 2000 }, (_, seed) => foreignSeed(seed));
  expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31 - 2 ** 16)).toBe(true);
  const steps = seeds.slice(1).map((seed, at) => Math.abs(seed - (seeds[at] as number)));
  expect(steps.filter((distance) => distance < 1000).length).toBeLessThan(5);
});
