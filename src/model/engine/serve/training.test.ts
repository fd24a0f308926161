import { expect, test } from "vitest";
import { WhetstoneError } from "../../../foundation/base/index.ts";
import type { Engine } from "../../../foundation/contract/index.ts";
import { readPassOutput, type WirePass, writePass } from "../tinker/index.ts";
import { floatTensor, tokenTensor, type WireTensor } from "../tinker/wire/tensor.ts";
import { modelName, plainPass, served, tinyFolder } from "./testing/wire-client.ts";

/** The plain pass with something else in its first example. */
function with_(inputs: Readonly<Record<string, WireTensor>>, tokens?: number[]): Partial<WirePass> {
  const [first, ...rest] = plainPass.data;
  return {
    data: [
      {
        chunks: tokens ? [{ kind: "tokens", tokens: Int32Array.from(tokens) }] : (first?.chunks ?? []),
        inputs: new Map([...(first?.inputs ?? []), ...Object.entries(inputs)]),
      },
      ...rest,
    ],
  };
}

test("calls run in the order of their numbers, in whatever order they come", async () => {
  await using one = await served();
  const { client } = one;
  const [model, other] = [await client.model(0), await client.model(1)];
  const late = [];
  for (const sequence of [4, 3, 2]) late.push(await client.submitStep(model, sequence));
  const polled = late.map((answer) => client.result(answer));
  await client.submitPass(model, 1);
  const steps = (await Promise.all(polled)).map(
    ({ body }) => (body.metrics as Record<string, number>)["step:max"],
  );
  expect(steps).toEqual([3, 2, 1]);
  // The same, one after the other.
  await client.pass(other, 1);
  for (const sequence of [2, 3, 4]) await client.step(other, sequence);
  expect(await client.logprobs(model, 5)).toEqual(await client.logprobs(other, 5));
});

test("a call that is made again is not run again, and answers the same", async () => {
  await using one = await served();
  const { client } = one;
  const model = await client.model();
  const first = await client.submitPass(model, 1);
  const again = await client.submitPass(model, 1);
  expect(again.body).toEqual(first.body);
  expect((await client.result(again)).bytes).toEqual((await client.result(first)).bytes);
  const applied = await client.step(model, 2);
  expect(await client.step(model, 2)).toEqual(applied);
  const twice = await client.model(1);
  await client.pass(twice, 1);
  expect(await client.step(twice, 2)).toEqual(applied);
  expect(await client.model(1)).toBe(twice);
});

test("a model that is given back again was given back once", async () => {
  await using one = await served();
  const { client } = one;
  const model = await client.model();
  const first = await client.post("unload_model", { model_id: model });
  const again = await client.post("unload_model", { model_id: model });
  expect([again.status, again.body]).toEqual([200, first.body]);
  expect((await client.result(again)).body).toEqual({ type: "unload_model", model_id: model });
  expect((await client.submitStep(model, 1)).status).toBe(404);
});

test("weights of another base are not taken in the place of a model's own", async () => {
  await using one = await served({ models: { [modelName]: tinyFolder, "org/other": tinyFolder } });
  const { client } = one;
  const other = await client.model(0, { base_model: "org/other" });
  const saved = await client.result(
    await client.post("save_weights", { model_id: other, seq_id: 1, path: "other" }),
  );
  const model = await client.model(1);
  const load = { model_id: model, seq_id: 1, path: saved.body.path, optimizer: false };
  const { body } = await client.result(await client.post("load_weights", load));
  expect(body).toMatchObject({ category: "user", code: "wrong-base" });
  expect(await client.step(model, 2)).toMatchObject({ "step:max": 1 });
});

test("two clients under one number: the second is told, and the first's call stands", async () => {
  await using one = await served();
  const { client } = one;
  const model = await client.model();
  const mine = await client.submitStep(model, 1, 0.1);
  const others = await client.result(await client.submitStep(model, 1, 0.2));
  expect(others.body).toMatchObject({ category: "user", code: "sequence-conflict" });
  expect((await client.result(mine)).body.metrics).toMatchObject({ "step:max": 1 });
  expect(await client.step(model, 2)).toMatchObject({ "step:max": 2 });
});

test("a call waits for the one before it for so long only, and later ones run", async () => {
  await using one = await served({ times: { gap: 100, sweep: 20 } });
  const { client } = one;
  const model = await client.model();
  const failed = await client.result(await client.submitStep(model, 3));
  expect(failed.body).toMatchObject({ category: "user", code: "missing-call" });
  expect(await client.step(model, 4)).toMatchObject({ "step:max": 1 });
  // What was waited for in vain is told that it was not run.
  const late = await client.result(await client.submitStep(model, 1));
  expect([late.status, late.body]).toMatchObject([200, { category: "user", code: "missing-call" }]);
  expect(late.body.error).toContain("came too late");
  expect(await client.step(model, 5)).toMatchObject({ "step:max": 2 });
});

test("a number far beyond the others is refused at once, and later calls run", async () => {
  await using one = await served();
  const { client } = one;
  const model = await client.model();
  for (const sequence of [Number.MAX_SAFE_INTEGER, 200_002]) {
    const { body } = await client.result(await client.submitStep(model, sequence));
    expect(body).toMatchObject({ category: "user", code: "missing-call" });
  }
  expect(await client.step(model, 1)).toMatchObject({ "step:max": 1 });
});

test("a call that is not served uses its number up, so that the next one is not waited for", async () => {
  await using one = await served();
  const { client } = one;
  const model = await client.model();
  const body = { model_id: model, seq_id: 1, path: "out", ttl_seconds: 3600, type: "save_weights_external" };
  const refused = await client.result(await client.post("save_weights_external", body));
  expect([refused.status, refused.body]).toMatchObject([200, { category: "user", code: "unsupported" }]);
  expect(await client.step(model, 2)).toMatchObject({ "step:max": 1 });
});

test("what is wrong with a call fails that call only, in words, and uses its number up", async () => {
  await using one = await served();
  const { client } = one;
  const model = await client.model();
  const int32 = { dtype: "int32", shape: [3], dense: new Uint8Array(12) } as const;
  const wrong: readonly (readonly [code: string, pass: Partial<WirePass>])[] = [
    ["unknown-loss", { lossName: "cross_entropie" }],
    ["unknown-loss", { lossName: "toString" }],
    ["unknown-loss-setting", { lossConfig: { clip_low_threshold: 0.8 } }],
    ["unknown-loss-setting", { lossName: "ppo", lossConfig: { clip_low_threshold: "low" } }],
    ["unknown-input", with_({ weigths: floatTensor(new Float32Array(3)) })],
    ["missing-input", { lossName: "importance_sampling", ...withoutWeights() }],
    ["missing-input", { data: [] }],
    ["missing-input", { data: [{ chunks: plainPass.data[0]?.chunks ?? [], inputs: new Map() }] }],
    ["wrong-shape", with_({ weights: floatTensor(new Float32Array(2)) })],
    ["wrong-shape", with_({ target_tokens: tokenTensor(new Int32Array(4)) })],
    ["wrong-shape", with_({ weights: { dtype: "float32", shape: [3, 1], dense: new Uint8Array(12) } })],
    ["wrong-shape", with_({ weights: { dtype: "float32", shape: [3], dense: new Uint8Array(10) } })],
    ["wrong-dtype", with_({ weights: int32 })],
    ["wrong-dtype", with_({ target_tokens: floatTensor(new Float32Array(3)) })],
    ["token-out-of-range", with_({}, [3, 4, 48])],
    ["token-out-of-range", with_({ target_tokens: tokenTensor(Int32Array.of(3, -1, 4)) })],
    [
      "token-out-of-range",
      with_({ target_tokens: { dtype: "int64", shape: [3], dense: Buffer.alloc(24, 1) } }),
    ],
    ["unsupported-chunk", { data: [{ chunks: [{ kind: "image" }], inputs: new Map() }] }],
    [
      "bad-request",
      with_({ weights: floatTensor(new Float32Array(0)), target_tokens: tokenTensor(new Int32Array(0)) }, []),
    ],
  ];
  let sequence = 0;
  for (const [code, pass] of wrong) {
    sequence += 1;
    const { status, body } = await client.pass(model, sequence, pass);
    expect([status, body], JSON.stringify(pass.lossName ?? code)).toMatchObject([
      200,
      { code, category: "user" },
    ]);
    expect(String(body.error).length).toBeGreaterThan(20);
  }
  // Nothing of them is in the gradient.
  await client.pass(model, sequence + 1);
  const fresh = await client.model(1);
  await client.pass(fresh, 1);
  expect(await client.step(model, sequence + 2)).toEqual(await client.step(fresh, 2));
});

function withoutWeights(): Partial<WirePass> {
  const data = plainPass.data.map(({ chunks, inputs }) => ({
    chunks,
    inputs: new Map([...inputs].filter(([name]) => name !== "weights")),
  }));
  return { data };
}

test("a malformed body still uses its number up, where it tells it", async () => {
  await using one = await served();
  const { client } = one;
  const model = await client.model();
  const whole = writePass({ ...plainPass, modelId: model, sequence: 1 });
  const broken = await client.result(await client.postBytes("forward_backward", whole.subarray(0, -3)));
  expect(broken.body).toMatchObject({ code: "malformed-protobuf", category: "user" });
  const steps = { adam_params: { learning_rate: "fast" }, model_id: model, seq_id: 2 };
  expect((await client.result(await client.post("optim_step", steps))).body).toMatchObject({
    code: "invalid-option",
    category: "user",
  });
  const reload = { model_id: model, seq_id: 3, path: "tinker://x/weights/y", optimizer: "yes" };
  expect((await client.result(await client.post("load_weights", reload))).body).toMatchObject({
    code: "invalid-option",
    category: "user",
  });
  for (const bytes of [
    Buffer.from("junk"),
    Buffer.alloc(0),
    Buffer.alloc(64, 0xff),
    Buffer.from([0x0a, 0xff]),
  ])
    expect((await client.postBytes("forward_backward", bytes)).status).toBe(400);
  expect(await client.step(model, 4)).toMatchObject({ "step:max": 1 });
});

test("an unknown model is not found", async () => {
  await using one = await served();
  const { client } = one;
  for (const model of ["", "none", `${client.session}:train:9`, "../.."])
    expect([400, 404]).toContain((await client.submitPass(model, 1)).status);
  expect((await client.submitStep("none", 1)).status).toBe(404);
  const made = await client.post("create_model", {
    session_id: client.session,
    model_seq_id: 0,
    base_model: "org/tiney",
  });
  const { body } = await client.result(made);
  expect(body).toMatchObject({ code: "unknown-model", category: "user" });
  expect(body.error).toContain(`did you mean "${modelName}"`);
});

test("adapters that the engine has not are refused, with what to ask for", async () => {
  await using one = await served({}, (engine) => ({
    ...bound(engine),
    capabilities: async () => ({ ...(await engine.capabilities()), loraRank: 0 }),
  }));
  const { client } = one;
  const made = await client.post("create_model", {
    session_id: client.session,
    model_seq_id: 0,
    base_model: modelName,
    lora_config: { rank: 8 },
  });
  const { body } = await client.result(made);
  expect(body).toMatchObject({ code: "unsupported-rank", category: "user" });
  expect(body.error).toContain("rank 0");
});

test("rank 0 trains all weights: parts of a model and an alpha are refused there, and the SDK's defaults are not", async () => {
  await using one = await served();
  const { client } = one;
  const sdk = { rank: 0, seed: 1, train_unembed: true, train_mlp: true, train_attn: true };
  const ask = async (sequence: number, more: object) => {
    const lora_config = { ...sdk, ...more };
    const named = { session_id: client.session, model_seq_id: sequence, base_model: modelName };
    return (await client.result(await client.post("create_model", { ...named, lora_config }))).body;
  };
  const parts = [{ train_attn: false }, { train_mlp: false }, { train_unembed: false }, { alpha: 32 }];
  for (const [sequence, more] of parts.entries())
    expect(await ask(sequence, more)).toMatchObject({ code: "unsupported", category: "user" });
  expect(await ask(9, {})).toMatchObject({ type: "create_model" });
});

test("adapters of no part of the model are refused; what their base is drawn from is not what they are drawn from", async () => {
  const asked: object[] = [];
  await using one = await served({}, (engine) => ({
    ...bound(engine),
    capabilities: async () => ({ ...(await engine.capabilities()), loraRank: 8 }),
    createModel: ({ lora, ...options }) => {
      asked.push({ lora, source: options.source });
      return engine.createModel(options);
    },
  }));
  const { client } = one;
  const ask = async (sequence: number, lora_config: object) => {
    const named = { session_id: client.session, model_seq_id: sequence, base_model: modelName };
    return (await client.result(await client.post("create_model", { ...named, lora_config }))).body;
  };
  const none = { rank: 2, train_unembed: false, train_mlp: false, train_attn: false };
  const { error, ...refused } = await ask(0, none);
  expect(refused).toMatchObject({ code: "unsupported", category: "user" });
  expect(error).toContain("at least one part");
  expect(await ask(1, { rank: 0, base_seed: 5 })).toMatchObject({ code: "unsupported", category: "user" });
  expect(await ask(2, { rank: 2, seed: 7, base_seed: 5 })).toMatchObject({ type: "create_model" });
  expect(asked).toMatchObject([{ lora: { rank: 2, seed: 7 }, source: { kind: "folder", seed: 5 } }]);
});

test("an engine that died is the server's fault, in an HTTP success; other models go on", async () => {
  const died = new WhetstoneError({ code: "worker-died", category: "engine", message: "The worker died." });
  let dead = false;
  await using one = await served({}, (engine) => ({
    ...bound(engine),
    createModel: async (options) => {
      const model = await engine.createModel(options);
      const step = model.optimStep.bind(model);
      model.optimStep = (given) => (dead ? Promise.reject(died) : step(given));
      return model;
    },
  }));
  const { client } = one;
  const [model, other] = [await client.model(0), await client.model(1)];
  dead = true;
  const { status, body } = await client.result(await client.submitStep(model, 1));
  expect([status, body]).toMatchObject([200, { category: "server", code: "worker-died" }]);
  dead = false;
  expect(await client.step(other, 1)).toMatchObject({ "step:max": 1 });
  expect(await client.step(model, 2)).toMatchObject({ "step:max": 1 });
  expect(one.faults).toEqual([]);
});

test("what no engine should throw is an HTTP success too, and told to whoever keeps the log", async () => {
  const thrown = new TypeError("undefined is not a function");
  await using one = await served({}, (engine) => ({
    ...bound(engine),
    createModel: () => Promise.reject(thrown),
  }));
  const { client } = one;
  const made = { session_id: client.session, model_seq_id: 0, base_model: modelName };
  const answer = await client.result(await client.post("create_model", made));
  expect([answer.status, answer.body]).toMatchObject([200, { category: "server", code: "internal" }]);
  expect(one.faults).toEqual([thrown]);
});

test("logprobs come back per datum, and the metrics name their reduction", async () => {
  await using one = await served();
  const { client } = one;
  const { bytes } = await client.pass(await client.model(), 1);
  const { metrics, logprobs } = readPassOutput(bytes);
  expect(logprobs.map(({ length }) => length)).toEqual([3, 2]);
  const sum = logprobs.flatMap((values) => [...values]).reduce((total, value) => total - value, 0);
  expect(metrics["loss:sum"]).toBeCloseTo(sum, 4);
  expect(metrics["positions:sum"]).toBe(5);
});

function bound(engine: Engine): Engine {
  return {
    name: engine.name,
    capabilities: () => engine.capabilities(),
    createModel: (options) => engine.createModel(options),
    loadSampler: (options) => engine.loadSampler(options),
    cost: () => engine.cost(),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}
