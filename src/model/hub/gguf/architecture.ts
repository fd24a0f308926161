import { invalidGguf, unsupportedGguf } from "./gguf-error.ts";
import { numberOf, numbersOf, required, textOf } from "./metadata.ts";
import type { Gguf } from "./read-gguf.ts";
import { type RotaryScaling, rotaryScaling } from "./rotary-scaling.ts";

/** What the engine can run of what GGUF files hold; Mistral's models call themselves llama there. */
const classes = {
  llama: "LlamaForCausalLM",
  qwen2: "Qwen2ForCausalLM",
  qwen3: "Qwen3ForCausalLM",
} as const;
type Kind = keyof typeof classes;

/** A decoder's shape, as a GGUF file states it. */
export interface Architecture {
  readonly kind: Kind;
  readonly vocabulary: number;
  readonly width: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headWidth: number;
  readonly tied: boolean;
  /** Queries, keys and values have biases; and the attention's output has one. */
  readonly biases: { readonly inputs: boolean; readonly output: boolean };
  readonly scaling: RotaryScaling | undefined;
  readonly maxPositions: number;
  readonly epsilon: number;
  readonly rotaryBase: number;
  readonly window: number | undefined;
}

/** Throws user errors `gguf-invalid` and `gguf-unsupported`. */
export function architectureOf(gguf: Gguf): Architecture {
  const { path, tensors } = gguf;
  const kind = required(textOf, gguf, "general.architecture");
  if (!(kind in classes))
    throw unsupportedGguf(
      path,
      `holds a model of the architecture ${kind}, and those that can be trained here are ${Object.keys(classes).join(", ")}`,
    );
  if ((numberOf(gguf, "split.count") ?? 1) > 1)
    throw unsupportedGguf(
      path,
      "is one part of a model in several files: join them with llama.cpp's gguf-split",
    );
  if ((numberOf(gguf, `${kind}.expert_count`) ?? 0) > 0)
    throw unsupportedGguf(path, "holds a mixture of experts, which cannot be trained here");
  const vocabulary = tensors.get("token_embd.weight")?.shape[0];
  if (vocabulary === undefined) throw invalidGguf(path, "lacks the tensor token_embd.weight");
  const whole = (name: string): number => {
    const value = sameForAllLayers(gguf, `${kind}.${name}`);
    if (value === undefined || !Number.isInteger(value) || value < 1)
      throw invalidGguf(path, `does not say its ${kind}.${name}`);
    return value;
  };
  const width = whole("embedding_length");
  const heads = whole("attention.head_count");
  const headWidth = numberOf(gguf, `${kind}.attention.key_length`) ?? width / heads;
  const turned = numberOf(gguf, `${kind}.rope.dimension_count`) ?? headWidth;
  if (turned !== headWidth || !Number.isInteger(headWidth) || headWidth % 2 !== 0)
    throw unsupportedGguf(path, "turns only a part of each head by its position, which cannot be run here");
  return {
    kind: kind as Kind,
    vocabulary,
    width,
    hidden: whole("feed_forward_length"),
    layers: whole("block_count"),
    heads,
    keyValueHeads: sameForAllLayers(gguf, `${kind}.attention.head_count_kv`) ?? heads,
    headWidth,
    tied: !tensors.has("output.weight"),
    biases: { inputs: tensors.has("blk.0.attn_q.bias"), output: tensors.has("blk.0.attn_output.bias") },
    scaling: rotaryScaling(gguf, kind, headWidth),
    maxPositions: whole("context_length"),
    epsilon: shortest(required(numberOf, gguf, `${kind}.attention.layer_norm_rms_epsilon`)),
    rotaryBase: shortest(numberOf(gguf, `${kind}.rope.freq_base`) ?? 10_000),
    window: numberOf(gguf, `${kind}.attention.sliding_window`),
  };
}

/** The `config.json` that says the same; `tokens` are the ids that it names too. */
export function configOf(model: Architecture, dtype: string, tokens: Readonly<Record<string, unknown>>) {
  const mistral = model.kind === "llama" && model.window !== undefined;
  return {
    architectures: [mistral ? "MistralForCausalLM" : classes[model.kind]],
    model_type: mistral ? "mistral" : model.kind,
    vocab_size: model.vocabulary,
    hidden_size: model.width,
    intermediate_size: model.hidden,
    num_hidden_layers: model.layers,
    num_attention_heads: model.heads,
    num_key_value_heads: model.keyValueHeads,
    head_dim: model.headWidth,
    hidden_act: "silu",
    max_position_embeddings: model.maxPositions,
    rms_norm_eps: model.epsilon,
    rope_theta: model.rotaryBase,
    rope_scaling: model.scaling ?? null,
    ...(mistral ? { sliding_window: model.window } : {}),
    ...(model.kind === "qwen2" ? {} : { attention_bias: model.biases.inputs }),
    tie_word_embeddings: model.tied,
    dtype,
    ...tokens,
  };
}

/** A number, also where it is written once for each layer. */
function sameForAllLayers(gguf: Gguf, name: string): number | undefined {
  const [first, ...others] = numbersOf(gguf, name) ?? [numberOf(gguf, name)];
  if (others.some((other) => other !== first))
    throw unsupportedGguf(gguf.path, `has layers of different shapes (${name}), which cannot be run here`);
  return first;
}

/** The number that was meant by a 32-bit float: 1e-5 for 9.999999747378752e-6. */
function shortest(value: number): number {
  const short = Number(value.toPrecision(7));
  return Math.fround(short) === value ? short : value;
}
