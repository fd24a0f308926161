import { existsSync, truncateSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { convertGguf } from "./convert-gguf.ts";
import { asArchitecture, smallModel, tokens, withMetadata } from "./testing/small-model.ts";
import { type Content, ggufBytes, type TensorContent } from "./testing/write-gguf.ts";

let folder: string;
let path: string;
let into: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-convert-"));
  path = join(folder, "model.gguf");
  into = join(folder, "model");
  await mkdir(into);
});
afterEach(() => rm(folder, { recursive: true }));

async function convert(content: Content, options: Partial<Parameters<typeof convertGguf>[0]> = {}) {
  await writeFile(path, ggufBytes(content));
  return await convertGguf({ path, folder: into, ...options });
}

const json = async (name: string) => JSON.parse(await readFile(join(into, name), "utf8"));

interface Stored {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

async function weights(): Promise<Readonly<Record<string, Stored>>> {
  const bytes = await readFile(join(into, "model.safetensors"));
  const begin = 8 + Number(bytes.readBigUInt64LE());
  const head = JSON.parse(bytes.toString("utf8", 8, begin)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return Object.fromEntries(
    Object.entries(head).flatMap(([name, { dtype, shape: dimensions, data_offsets: place }]) => {
      if (name === "__metadata__") return [];
      const part = bytes.subarray(begin + (place?.[0] ?? 0), begin + (place?.[1] ?? 0));
      const values =
        dtype === "F32"
          ? Array.from({ length: part.length / 4 }, (_, i) => part.readFloatLE(4 * i))
          : Array.from({ length: part.length / 2 }, (_, i) => {
              const wide = Buffer.alloc(4);
              wide.writeUInt16LE(part.readUInt16LE(2 * i), 2);
              return wide.readFloatLE();
            });
      return [[name, { dtype, shape: dimensions, values }]];
    }),
  );
}

const named = (name: string): Float32Array =>
  smallModel.tensors.find((tensor) => tensor.name === name)?.data as Float32Array;
const row = (values: Float32Array, index: number): number[] => [...values.subarray(8 * index, 8 * index + 8)];

describe("convertGguf()", () => {
  test("writes a llama as the folder that says the same", async () => {
    const heard: number[] = [];
    expect(await convert(smallModel, { onProgress: (_label, done) => heard.push(done) })).toEqual({
      parameters: 7 * 8 + 2 * (2 * 8 + 2 * 64 + 2 * 32 + 3 * 256) + 8,
      quantisation: "F32",
      licence: "mit",
    });
    expect(heard.at(-1)).toBe(7 * 8 + 2 * (2 * 8 + 2 * 64 + 2 * 32 + 3 * 256) + 8);
    expect(await json("config.json")).toEqual({
      architectures: ["LlamaForCausalLM"],
      model_type: "llama",
      vocab_size: 7,
      hidden_size: 8,
      intermediate_size: 32,
      num_hidden_layers: 2,
      num_attention_heads: 2,
      num_key_value_heads: 1,
      head_dim: 4,
      hidden_act: "silu",
      max_position_embeddings: 64,
      rms_norm_eps: 1e-5,
      rope_theta: 10_000,
      rope_scaling: null,
      attention_bias: false,
      tie_word_embeddings: true,
      dtype: "float32",
      bos_token_id: 1,
      eos_token_id: 0,
    });
    expect((await json("tokenizer.json")).model.vocab).toEqual(
      Object.fromEntries(tokens.map((token, id) => [token, id])),
    );
    const stored = await weights();
    expect(Object.keys(stored)).toHaveLength(smallModel.tensors.length);
    expect(stored["model.embed_tokens.weight"]).toEqual({
      dtype: "F32",
      shape: [7, 8],
      values: [...named("token_embd.weight")],
    });
    expect(stored["model.layers.1.mlp.down_proj.weight"]).toEqual({
      dtype: "F32",
      shape: [8, 32],
      values: [...named("blk.1.ffn_down.weight")],
    });
  });

  test("puts the rows of a llama's queries and keys in order again, and no others", async () => {
    await convert(smallModel);
    const stored = await weights();
    // Of each head of four rows: even ones first.
    const queries = named("blk.0.attn_q.weight");
    expect(stored["model.layers.0.self_attn.q_proj.weight"]?.values).toEqual(
      [0, 2, 1, 3, 4, 6, 5, 7].flatMap((index) => row(queries, index)),
    );
    const keys = named("blk.0.attn_k.weight");
    expect(stored["model.layers.0.self_attn.k_proj.weight"]?.values).toEqual(
      [0, 2, 1, 3].flatMap((index) => row(keys, index)),
    );
    expect(stored["model.layers.0.self_attn.v_proj.weight"]?.values).toEqual([
      ...named("blk.0.attn_v.weight"),
    ]);
  });

  test("writes what was quantised in bfloat16", async () => {
    const quantised = smallModel.tensors.map((tensor) =>
      tensor.name.includes("ffn_down") ? asQ80(tensor) : tensor,
    );
    const mostly = quantised.filter(({ name }) => !/ffn_(gate|up)/.test(name));
    const gates = quantised.filter(({ name }) => /ffn_(gate|up)/.test(name)).map(asBf16);
    expect(await convert({ ...smallModel, tensors: [...mostly, ...gates] })).toMatchObject({
      quantisation: "BF16",
    });
    const down = (await weights())["model.layers.0.mlp.down_proj.weight"];
    expect(down).toMatchObject({ dtype: "BF16", shape: [8, 32] });
    expect(down?.values.slice(0, 4)).toEqual([-8, -4, 0, 4]);
    expect(await json("config.json")).toMatchObject({ dtype: "bfloat16" });
  });

  test("a model that does not tie its head, and biases", async () => {
    const [embeddings] = smallModel.tensors;
    const bias = (name: string, size: number): TensorContent => ({
      ...{ name, shape: [size], data: Float32Array.from({ length: size }, (_, i) => i) },
    });
    const biases = [0, 1].flatMap((layer) => [
      bias(`blk.${layer}.attn_q.bias`, 8),
      bias(`blk.${layer}.attn_k.bias`, 4),
      bias(`blk.${layer}.attn_v.bias`, 4),
      bias(`blk.${layer}.attn_output.bias`, 8),
    ]);
    const head = { ...(embeddings as TensorContent), name: "output.weight" };
    await convert({ ...smallModel, tensors: [...smallModel.tensors, ...biases, head] });
    expect(await json("config.json")).toMatchObject({ tie_word_embeddings: false, attention_bias: true });
    const stored = await weights();
    expect(stored["lm_head.weight"]?.shape).toEqual([7, 8]);
    expect(stored["model.layers.0.self_attn.q_proj.bias"]?.values).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
    expect(stored["model.layers.0.self_attn.v_proj.bias"]?.values).toEqual([0, 1, 2, 3]);
  });

  test("qwen2 and qwen3 keep the order of their rows", async () => {
    const vector = (name: string, size: number): TensorContent => ({
      ...{ name, shape: [size], data: new Float32Array(size).fill(0.5) },
    });
    const qwen2 = asArchitecture("qwen2", (given) => [
      ...given,
      ...[0, 1].flatMap((layer) => [
        vector(`blk.${layer}.attn_q.bias`, 8),
        vector(`blk.${layer}.attn_k.bias`, 4),
        vector(`blk.${layer}.attn_v.bias`, 4),
      ]),
    ]);
    await convert(qwen2);
    expect(await json("config.json")).toMatchObject({
      architectures: ["Qwen2ForCausalLM"],
      model_type: "qwen2",
    });
    const queries = [...named("blk.0.attn_q.weight")];
    expect((await weights())["model.layers.0.self_attn.q_proj.weight"]?.values).toEqual(queries);
    const qwen3 = asArchitecture("qwen3", (given) => [
      ...given,
      ...[0, 1].flatMap((layer) => [
        vector(`blk.${layer}.attn_q_norm.weight`, 4),
        vector(`blk.${layer}.attn_k_norm.weight`, 4),
      ]),
    ]);
    await convert(qwen3);
    expect((await weights())["model.layers.1.self_attn.k_norm.weight"]?.values).toEqual([0.5, 0.5, 0.5, 0.5]);
  });

  test("positions that are stretched, linearly or as Llama 3 does", async () => {
    const linear = { "llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 4 };
    await convert(withMetadata(linear));
    expect(await json("config.json")).toMatchObject({ rope_scaling: { rope_type: "linear", factor: 4 } });
    // Wavelengths of 2π and 628 positions against 64 original ones: untouched, and divided by all of the factor.
    const table = { name: "rope_freqs.weight", shape: [2], data: Float32Array.of(1, 8) };
    const original = { "llama.rope.scaling.original_context_length": 64 };
    await convert({ ...withMetadata(original), tensors: [...smallModel.tensors, table] });
    expect(await json("config.json")).toMatchObject({
      rope_scaling: {
        rope_type: "llama3",
        factor: 8,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 64,
      },
    });
    const other = { ...table, data: Float32Array.of(3, 8) };
    await expect(
      convert({ ...withMetadata(original), tensors: [...smallModel.tensors, other] }),
    ).rejects.toThrow("a table that is not Llama 3's");
  });

  test("a sliding window makes it a Mistral", async () => {
    await convert(withMetadata({ "llama.attention.sliding_window": 32 }));
    expect(await json("config.json")).toMatchObject({ model_type: "mistral", sliding_window: 32 });
  });
});

describe("what convertGguf() refuses, before it writes anything", () => {
  const without = (name: string): Content => ({
    ...smallModel,
    tensors: smallModel.tensors.filter((tensor) => tensor.name !== name),
  });
  const strange = { name: "blk.0.strange.weight", shape: [8], data: new Float32Array(8) };
  const wide = { name: "output_norm.weight", shape: [9], data: new Float32Array(9) };

  test.each<readonly [string, Content, string, RegExp]>([
    [
      "architecture",
      withMetadata({ "general.architecture": "gemma2" }),
      "gguf-unsupported",
      /architecture gemma2, and those that can be trained here are llama, qwen2, qwen3/,
    ],
    ["experts", withMetadata({ "llama.expert_count": 8 }), "gguf-unsupported", /mixture of experts/],
    ["parts", withMetadata({ "split.count": 3 }), "gguf-unsupported", /one part of a model/],
    ["scaling", withMetadata({ "llama.rope.scaling.type": "yarn" }), "gguf-unsupported", /by yarn/],
    ["partial heads", withMetadata({ "llama.rope.dimension_count": 2 }), "gguf-unsupported", /only a part/],
    [
      "layers that differ",
      withMetadata({ "llama.attention.head_count": [2, 1] }),
      "gguf-unsupported",
      /layers of/,
    ],
    [
      "no width",
      withMetadata({ "llama.embedding_length": undefined }),
      "gguf-invalid",
      /llama\.embedding_length/,
    ],
    ["no embeddings", without("token_embd.weight"), "gguf-invalid", /lacks the tensor token_embd\.weight/],
    [
      "no such tensor",
      without("blk.1.ffn_up.weight"),
      "gguf-invalid",
      /lacks the tensor blk\.1\.ffn_up\.weight/,
    ],
    [
      "one too many",
      { ...smallModel, tensors: [...smallModel.tensors, strange] },
      "gguf-unsupported",
      /blk\.0\.strange\.weight/,
    ],
    [
      "another shape",
      { ...smallModel, tensors: [...without("output_norm.weight").tensors, wide] },
      "gguf-invalid",
      /output_norm\.weight of the shape 9 where 8 is needed/,
    ],
  ])("%s", async (_what, content, code, message) => {
    const refused = { code, category: "user", message: expect.stringMatching(message) };
    await expect(convert(content)).rejects.toMatchObject(refused);
    expect(existsSync(join(into, "config.json"))).toBe(false);
  });

  test("a file that shrinks while it is read", async () => {
    const work = convert(smallModel, { onProgress: () => truncateSync(path, 2000) });
    await expect(work).rejects.toMatchObject({ code: "gguf-truncated" });
  });

  test("it ends when it is asked to", async () => {
    const controller = new AbortController();
    const reason = new Error("asked");
    const options = { signal: controller.signal, onProgress: () => controller.abort(reason) };
    await expect(convert(smallModel, options)).rejects.toBe(reason);
  });
});

/** A matrix whose rows begin with −8, −4, 0, 4, as Q8_0: a scale of 4 and whole numbers. */
function asQ80({ name, shape: dimensions }: TensorContent): TensorContent {
  const blocks = dimensions.reduce((product, size) => product * size, 1) / 32;
  const block = Uint8Array.from([0x00, 0x44, ...Array.from({ length: 32 }, (_, i) => (i - 2) & 255)]);
  return { name, shape: dimensions, type: 8, data: Buffer.concat(Array(blocks).fill(block)) };
}

function asBf16({ name, shape: dimensions, data }: TensorContent): TensorContent {
  const wide = new Uint16Array(data.buffer);
  return {
    name,
    shape: dimensions,
    type: 30,
    data: new Uint8Array(wide.filter((_, i) => i % 2 === 1).buffer),
  };
}
