import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "whetstone";
import type { BenchModel } from "./model.ts";

/** The quickstart's decoder, with positions that transformers knows. */
const config = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: 13,
  hidden_size: 64,
  intermediate_size: 168,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  num_key_value_heads: 2,
  head_dim: 32,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: false,
  hidden_act: "silu",
};

/** Random weights in a folder that both sides read. */
export async function smallModel(engine: Engine): Promise<BenchModel> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-bench-"));
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  await using model = await engine.createModel({ source: { kind: "folder", path: folder, seed: 1 } });
  const path = join(folder, "weights");
  await model.save({ path, optimizer: false });
  return {
    path,
    label: "3 layers of width 64",
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
