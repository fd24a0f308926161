import { existsSync } from "node:fs";
import { join } from "node:path";
import { hashOf, isWhetstoneError, readOptions } from "../../foundation/base/index.ts";
import { type CharacterTokenizer, characters } from "../text/index.ts";
import type { ModelDefinition } from "./model-definition.ts";
import { shapeOf, type TinyOptions, type TinyShape, tinyOptionsSchema } from "./tiny-options.ts";
import { type FolderFiles, writeFolder } from "./write-folder.ts";

export type { TinyOptions } from "./tiny-options.ts";

/**
 * A small Llama-style decoder from random weights: RMSNorm, SwiGLU, no biases. Preparing it writes a Hugging Face folder
 * with its configuration and tokenizer and no weights; engines draw those from a seed. Throws a user error
 * `invalid-option`.
 *
 * @example
 * tiny({ layers: 3, width: 64, heads: 2, positions: "none", tokenizer: characters("0123456789=") })
 */
export function tiny(options: TinyOptions = {}): ModelDefinition {
  const { tokenizer, ...rest } = readOptions("tiny()", tinyOptionsSchema, options);
  const shape = shapeOf(rest);
  return {
    name: "tiny",
    description: { ...shape, alphabet: tokenizer?.alphabet ?? "the task's characters" },
    prepare: async (folder, needs) => {
      const speaks = tokenizer ?? characters([...new Set(needs.characters)].join(""));
      speaks.encode(needs.characters);
      const files = modelFiles(shape, speaks);
      // Named by its content: another definition never finds this one in its place.
      const path = join(folder, `tiny-${hashOf(files).slice(0, 12)}`);
      writeOnce(path, files);
      const limit = shape.positions === "none" ? {} : { maxPositions: shape.maxPositions };
      return { tokenizer: speaks, path, fromScratch: true, ...limit };
    },
  };
}

function writeOnce(path: string, files: FolderFiles): void {
  if (existsSync(path)) return;
  try {
    writeFolder(path, files);
  } catch (error) {
    if (!(isWhetstoneError(error) && error.code === "save-exists")) throw error;
  }
}

function modelFiles(shape: TinyShape, tokenizer: CharacterTokenizer): Record<string, string> {
  const { padToken, beginToken, endToken } = tokenizer;
  const specials = { bos_token_id: beginToken, eos_token_id: endToken, pad_token_id: padToken };
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: tokenizer.vocabularySize,
    hidden_size: shape.width,
    intermediate_size: shape.hidden,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.keyValueHeads,
    head_dim: shape.width / shape.heads,
    hidden_act: "silu",
    max_position_embeddings: shape.maxPositions,
    position_embedding_type: shape.positions,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    attention_bias: false,
    mlp_bias: false,
    tie_word_embeddings: shape.tied,
    dtype: "float32",
    ...specials,
  };
  // Tokens that no response has must not be drawn: the begin token appears at temperature 1 if it may.
  const generation = { ...specials, suppress_tokens: [padToken, beginToken] };
  return { "config.json": json(config), "generation_config.json": json(generation), ...tokenizer.files };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
