import type { Content, TensorContent } from "./write-gguf.ts";

/** A small llama: 2 layers, 2 heads of 4, one head of keys and values, 7 tokens. */
const shape = { width: 8, hidden: 32, layers: 2, heads: 2, keyValueHeads: 1, headWidth: 4 } as const;
const { width, hidden, layers, heads, keyValueHeads, headWidth } = shape;
export const tokens = ["<|end|>", "<|begin|>", "a", "b", "ab", "Ġ", "="];

/** Numbers that name their place, so that a row in the wrong one is seen. */
function counting(name: string, dimensions: readonly number[]): TensorContent {
  const count = dimensions.reduce((product, size) => product * size, 1);
  const seed = [...name].reduce((sum, character) => sum + character.charCodeAt(0), 0) % 97;
  return { name, shape: dimensions, data: Float32Array.from({ length: count }, (_, i) => seed + i / 1024) };
}

const layer = (index: number): TensorContent[] => [
  counting(`blk.${index}.attn_norm.weight`, [width]),
  counting(`blk.${index}.attn_q.weight`, [heads * headWidth, width]),
  counting(`blk.${index}.attn_k.weight`, [keyValueHeads * headWidth, width]),
  counting(`blk.${index}.attn_v.weight`, [keyValueHeads * headWidth, width]),
  counting(`blk.${index}.attn_output.weight`, [width, heads * headWidth]),
  counting(`blk.${index}.ffn_norm.weight`, [width]),
  counting(`blk.${index}.ffn_gate.weight`, [hidden, width]),
  counting(`blk.${index}.ffn_up.weight`, [hidden, width]),
  counting(`blk.${index}.ffn_down.weight`, [width, hidden]),
];

export const smallModel: Content = {
  metadata: {
    "general.architecture": "llama",
    "general.license": "mit",
    "llama.block_count": layers,
    "llama.context_length": 64,
    "llama.embedding_length": width,
    "llama.feed_forward_length": hidden,
    "llama.attention.head_count": heads,
    "llama.attention.head_count_kv": keyValueHeads,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
    "llama.rope.freq_base": 10_000,
    "tokenizer.ggml.model": "gpt2",
    "tokenizer.ggml.pre": "gpt-2",
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.token_type": [3, 3, 1, 1, 1, 1, 1],
    "tokenizer.ggml.merges": ["a b"],
    "tokenizer.ggml.bos_token_id": 1,
    "tokenizer.ggml.eos_token_id": 0,
    "tokenizer.chat_template": "{% for m in messages %}{{ m.content }}<|end|>{% endfor %}",
  },
  tensors: [
    counting("token_embd.weight", [tokens.length, width]),
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    counting("output_norm.weight", [width]),
  ],
};

/** The same with other metadata; undefined takes an entry away. */
export function withMetadata(
  changes: Readonly<Record<string, Content["metadata"][string] | undefined>>,
): Content {
  const entries = Object.entries({ ...smallModel.metadata, ...changes });
  return {
    ...smallModel,
    metadata: Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Content["metadata"],
  };
}

/** The same as another architecture, whose tensors are changed. */
export function asArchitecture(
  kind: string,
  tensors: (given: readonly TensorContent[]) => readonly TensorContent[],
): Content {
  const metadata = Object.entries(smallModel.metadata).map(([name, value]) => [
    name.replace(/^llama\./, `${kind}.`),
    name === "general.architecture" ? kind : value,
  ]);
  return { metadata: Object.fromEntries(metadata), tensors: tensors(smallModel.tensors) };
}
