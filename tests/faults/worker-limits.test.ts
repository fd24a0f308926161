import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { modelName, plainPass, type WireClient } from "../../src/model/engine/serve/testing/wire-client.ts";
import { wireDatumOf } from "../../src/model/engine/tinker/index.ts";
import { localServer } from "./local-server.ts";

const longest = 8192;
let wide: string;
beforeAll(async () => {
  wide = await mkdtemp(join(tmpdir(), "whetstone-wide-"));
  const config = {
    model_type: "llama",
    vocab_size: 48,
    hidden_size: 64,
    intermediate_size: 4096,
    num_hidden_layers: 8,
    num_attention_heads: 1,
    num_key_value_heads: 1,
    max_position_embeddings: longest,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: false,
    seed: 1,
  };
  await writeFile(join(wide, "config.json"), JSON.stringify(config));
});
afterAll(() => rm(wide, { recursive: true, force: true }));

const save = async (client: WireClient, model: string, sequence: number, more: object = {}) =>
  (await client.result(await client.post("save_weights", { model_id: model, seq_id: sequence, ...more })))
    .body;

const load = async (client: WireClient, sequence: number, path: unknown, optimizer = true) => {
  const body = { session_id: client.session, model_seq_id: sequence, path, optimizer };
  return await client.result(await client.post("load_weights", body));
};

test.concurrent("memory that runs out: the error says what to lower, and nothing else is touched", {
  timeout: 120_000,
}, async () => {
  await using server = await localServer({
    workers: 1,
    models: { "org/wide": wide },
    memoryBytes: 1.2 * 2 ** 30,
  });
  const { client } = server;
  const [other, model] = [await client.model(0), await client.model(1, { base_model: "org/wide" })];
  await client.pass(other, 1);
  const before = await client.logprobs(other, 2);
  const mine = await client.logprobs(model, 1);
  await client.pass(model, 2);
  // One sequence cannot be cut, and what is kept of it for its gradient is more than a gigabyte.
  const whole = new Int32Array(longest).fill(3);
  const weights = new Float32Array(longest).fill(1);
  const long = wireDatumOf({ tokens: whole, targets: whole, weights }, { name: "cross_entropy" });
  const { status, body } = await client.pass(model, 3, { data: [long] });
  expect([status, body]).toMatchObject([200, { category: "server", code: "out-of-memory" }]);
  for (const word of ["shorter", "gradientCheckpointing", "lora", "bf16", "fewer models"])
    expect(body.error).toContain(word);
  // What was in the gradient before is what the step applies; as if the call had not been.
  expect(await client.logprobs(model, 4)).toEqual(mine);
  const twin = await client.model(2, { base_model: "org/wide" });
  await client.pass(twin, 1);
  expect(await client.step(model, 5)).toEqual(await client.step(twin, 2));
  expect(await client.logprobs(other, 3)).toEqual(before);
  expect(await client.step(other, 4)).toMatchObject({ "step:max": 1 });
  expect((await client.request("GET", "healthz")).status).toBe(200);
  expect(server.faults).toEqual([]);
});

test.concurrent("a disk that is full in a save: the checkpoint that was there stays, and nothing half written", {
  timeout: 120_000,
}, async () => {
  // Weights are one file below the limit; the optimiser's moments, once there are some, are one above it.
  await using server = await localServer({ workers: 1, fileKibibytes: 150 });
  const { client, checkpoints } = server;
  const model = await client.model();
  const { path } = await save(client, model, 1, { path: "mine" });
  const before = await client.logprobs(model, 2);
  await client.pass(model, 3);
  await client.step(model, 4);
  const after = await client.logprobs(model, 5);
  const full = { category: "server", code: "no-space" };
  expect(await save(client, model, 6, { path: "mine", overwrite: true })).toMatchObject(full);
  expect(await save(client, model, 7, { path: "other" })).toMatchObject(full);
  const [only = "", ...more] = await readdir(checkpoints);
  expect(more).toEqual([]);
  expect((await readdir(join(checkpoints, only))).sort()).toEqual(["checkpoint.json", "weights"]);
  const { body } = await client.request("GET", `training_runs/${model}/checkpoints`);
  expect(body.checkpoints).toMatchObject([{ checkpoint_id: "weights/mine" }]);
  const loaded = await load(client, 1, path);
  expect(await client.logprobs(String(loaded.body.model_id), 1)).toEqual(before);
  // The model goes on, and what fits is saved.
  expect(await client.logprobs(model, 8)).toEqual(after);
  const small = { model_id: model, seq_id: 9, path: "small" };
  const saved = await client.result(await client.post("save_weights_for_sampler", small));
  expect(saved.body.path).toBe(`tinker://${model}/sampler_weights/small`);
  expect(server.faults).toEqual([]);
});

test.concurrent("files that are corrupted, or of something else, are refused by name; ids outside the vocabulary too", {
  timeout: 120_000,
}, async () => {
  await using server = await localServer({ workers: 1 });
  const { client, checkpoints } = server;
  const model = await client.model();
  await client.pass(model, 1);
  await client.step(model, 2);
  const { path } = await save(client, model, 3, { path: "mine" });
  const before = await client.logprobs(model, 4);
  const [name = ""] = await readdir(checkpoints);
  const folder = join(checkpoints, name, "weights");
  const file = (of: string): string => join(folder, of);
  const bytes = await readFile(file("model.safetensors"));
  const [length, headBytes] = [bytes.length, Number(bytes.readBigUInt64LE())];
  const changed = (change: (copy: Buffer) => void): Buffer => {
    const copy = Buffer.from(bytes);
    change(copy);
    return copy;
  };
  const renamed = changed((copy) => copy.write("mudel", copy.indexOf("model."), "latin1"));
  const config = JSON.parse(await readFile(file("config.json"), "utf8")) as object;
  const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));
  const cases: readonly (readonly [code: string, of: string, content: Buffer])[] = [
    ["weights-truncated", "model.safetensors", bytes.subarray(0, length / 2)],
    ["weights-truncated", "model.safetensors", bytes.subarray(0, 8)],
    ["weights-truncated", "model.safetensors", Buffer.alloc(0)],
    ["weights-truncated", "model.safetensors", changed((copy) => copy.writeBigUInt64LE(2n ** 62n))],
    ["weights-truncated", "model.safetensors", changed((copy) => copy.fill(0xff, 8, 8 + headBytes))],
    [
      "weights-truncated",
      "model.safetensors",
      Buffer.from("\x80\x04cposix\nsystem\n(S'true'\ntR.", "latin1"),
    ],
    ["weights-unexpected-tensor", "model.safetensors", renamed],
    ["weights-truncated", "optimizer.safetensors", bytes.subarray(0, length / 2)],
    ["weights-unexpected-tensor", "optimizer.safetensors", bytes],
    ["weights-shape", "config.json", json({ ...config, intermediate_size: 96 })],
    ["unsupported-architecture", "config.json", json({ ...config, model_type: "none-of-ours" })],
    ["config-invalid", "config.json", Buffer.from("{ not json")],
    ["config-invalid", "whetstone.json", json({ format: 99, step: 1 })],
    ["config-invalid", "whetstone.json", Buffer.from("\xff\xfe", "latin1")],
  ];
  let models = 1;
  for (const [code, of, content] of cases) {
    const what = `${of}: ${code}`;
    await copyFile(file(of), join(checkpoints, "..", "whole"));
    await writeFile(file(of), content);
    const { status, body } = await load(client, models++, path);
    await copyFile(join(checkpoints, "..", "whole"), file(of));
    expect([status, body], what).toMatchObject([200, { category: "user", code }]);
    expect(String(body.error), what).toContain(
      of === "config.json" && code === "weights-shape" ? folder : of,
    );
  }
  // Missing ones.
  await rm(file("optimizer.safetensors"));
  expect((await load(client, models++, path)).body).toMatchObject({ code: "optimizer-missing" });
  const bare = await load(client, models++, path, false);
  expect(await client.logprobs(String(bare.body.model_id), 1)).toEqual(before);
  await rm(file("model.safetensors"));
  expect((await load(client, models++, path)).body).toMatchObject({ code: "weights-missing" });

  const sampler = await client.sampler(0, { base_model: modelName });
  const outside = { chunks: [{ type: "encoded_text", tokens: [3, 48] }] };
  for (const tokens of [outside, { chunks: [{ type: "encoded_text", tokens: [-1] }] }]) {
    const { answer } = await client.sample(sampler, models++, { prompt: tokens });
    expect([answer.status, answer.body]).toMatchObject([
      200,
      { category: "user", code: "token-out-of-range" },
    ]);
  }
  const wrong = Int32Array.of(3, 48);
  const datum = wireDatumOf(
    { tokens: wrong, targets: wrong, weights: Float32Array.of(1, 1) },
    { name: "cross_entropy" },
  );
  const refused = await client.pass(model, 5, { data: [...plainPass.data, datum] });
  expect([refused.status, refused.body]).toMatchObject([
    200,
    { category: "user", code: "token-out-of-range" },
  ]);
  expect(await client.logprobs(model, 6)).toEqual(before);
  expect(server.faults).toEqual([]);
});
