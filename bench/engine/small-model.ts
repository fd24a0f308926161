import type { Engine } from "whetstone";
import { type BenchModel, randomModel } from "./model.ts";

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

/** The demo's small model, with random weights. */
export function smallModel(engine: Engine): Promise<BenchModel> {
  return randomModel(engine, config, "3 layers of width 64");
}
