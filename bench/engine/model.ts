import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "whetstone";
import { cacheFolder } from "../../src/model/engine/local/index.ts";

const name = "smollm2-135m";
const config = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  head_dim: 64,
  max_position_embeddings: 8192,
  rms_norm_eps: 1e-5,
  rope_theta: 100_000,
  tie_word_embeddings: true,
  hidden_act: "silu",
};

const large = {
  architectures: ["Qwen2ForCausalLM"],
  model_type: "qwen2",
  vocab_size: 151936,
  hidden_size: 1536,
  intermediate_size: 8960,
  num_hidden_layers: 28,
  num_attention_heads: 12,
  num_key_value_heads: 2,
  max_position_embeddings: 32768,
  rms_norm_eps: 1e-6,
  rope_theta: 1_000_000,
  tie_word_embeddings: true,
  hidden_act: "silu",
};

export interface BenchModel extends AsyncDisposable {
  readonly path: string;
  /** Which weights these are. */
  readonly label: string;
  /** Of weights that are drawn when the model is made: the folder has none. */
  readonly seed?: number;
}

/** SmolLM2-135M as `whetstone model pull` left it, or random weights of its shape, whose speed is the same. */
export async function benchModel(engine: Engine): Promise<BenchModel> {
  const pulled = join(cacheFolder(process.env), "models", name);
  if (existsSync(join(pulled, "model.safetensors")))
    return { path: pulled, label: "SmolLM2-135M", [Symbol.asyncDispose]: async () => undefined };
  return await randomModel(engine, config, "SmolLM2-135M's shape, random weights");
}

/** Qwen2.5-1.5B's shape, weights to be drawn. */
export async function largeModel(): Promise<BenchModel> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-bench-"));
  await writeFile(join(folder, "config.json"), JSON.stringify(large));
  return {
    path: folder,
    label: "Qwen2.5-1.5B's shape, random weights",
    seed: 1,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Random weights in a folder that both sides read. */
export async function randomModel(engine: Engine, config: object, label: string): Promise<BenchModel> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-bench-"));
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  await using model = await engine.createModel({ source: { kind: "folder", path: folder, seed: 1 } });
  const path = join(folder, "weights");
  await model.save({ path, optimizer: false });
  return {
    path,
    label,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
