import type { Architecture } from "./architecture.ts";
import { invalidGguf, unsupportedGguf } from "./gguf-error.ts";
import type { Gguf, GgufTensor } from "./read-gguf.ts";

/** One tensor of the folder, and where it comes from. */
export interface PlannedTensor {
  readonly name: string;
  readonly source: GgufTensor;
  /**
   * Rows of each head whose halves llama.cpp has interleaved (`LlamaModel.permute` in `convert_hf_to_gguf.py`): row 2i + a
   * belongs at a·size/2 + i. Undefined where rows stand in order.
   */
  readonly interleaved: number | undefined;
}

/**
 * Which tensor of the file becomes which of a Hugging Face folder. Throws `gguf-invalid` for one that lacks or has another
 * shape, and `gguf-unsupported` for one that is not known: its model computes something else.
 */
export function planTensors(gguf: Gguf, model: Architecture): readonly PlannedTensor[] {
  const left = new Map(gguf.tensors);
  left.delete("rope_freqs.weight");
  const take = (from: string, name: string, shape: readonly number[], turned = false): PlannedTensor => {
    const source = left.get(from);
    if (source === undefined) throw invalidGguf(gguf.path, `lacks the tensor ${from}`);
    if (source.shape.join() !== shape.join())
      throw invalidGguf(
        gguf.path,
        `has ${from} of the shape ${source.shape.join(" × ")} where ${shape.join(" × ")} is needed`,
      );
    left.delete(from);
    return { name, source, interleaved: turned && model.kind === "llama" ? model.headWidth : undefined };
  };
  const { vocabulary, width } = model;
  const planned = [
    take("token_embd.weight", "model.embed_tokens.weight", [vocabulary, width]),
    ...Array.from({ length: model.layers }, (_, layer) => planLayer(model, layer, take)).flat(),
    take("output_norm.weight", "model.norm.weight", [width]),
    ...(model.tied ? [] : [take("output.weight", "lm_head.weight", [vocabulary, width])]),
  ];
  const [unknown] = left.keys();
  if (unknown !== undefined)
    throw unsupportedGguf(
      gguf.path,
      `holds the tensor ${unknown}, which models of its architecture (${model.kind}) have no place for here`,
    );
  return planned;
}

type Take = (from: string, name: string, shape: readonly number[], turned?: boolean) => PlannedTensor;

function planLayer(model: Architecture, layer: number, take: Take): PlannedTensor[] {
  const { width, hidden, headWidth, biases } = model;
  const queries = model.heads * headWidth;
  const keys = model.keyValueHeads * headWidth;
  const part = (from: string, to: string, shape: readonly number[], turned = false): PlannedTensor =>
    take(`blk.${layer}.${from}`, `model.layers.${layer}.${to}`, shape, turned);
  return [
    part("attn_norm.weight", "input_layernorm.weight", [width]),
    part("attn_q.weight", "self_attn.q_proj.weight", [queries, width], true),
    part("attn_k.weight", "self_attn.k_proj.weight", [keys, width], true),
    part("attn_v.weight", "self_attn.v_proj.weight", [keys, width]),
    part("attn_output.weight", "self_attn.o_proj.weight", [width, queries]),
    ...(biases.inputs
      ? [
          part("attn_q.bias", "self_attn.q_proj.bias", [queries], true),
          part("attn_k.bias", "self_attn.k_proj.bias", [keys], true),
          part("attn_v.bias", "self_attn.v_proj.bias", [keys]),
        ]
      : []),
    // Qwen 2 has a bias before its attention and none behind it; the other kinds have both or neither.
    ...(model.kind !== "qwen2" && (biases.inputs || biases.output)
      ? [part("attn_output.bias", "self_attn.o_proj.bias", [width])]
      : []),
    ...(model.kind === "qwen3"
      ? [
          part("attn_q_norm.weight", "self_attn.q_norm.weight", [headWidth]),
          part("attn_k_norm.weight", "self_attn.k_norm.weight", [headWidth]),
        ]
      : []),
    part("ffn_norm.weight", "post_attention_layernorm.weight", [width]),
    part("ffn_gate.weight", "mlp.gate_proj.weight", [hidden, width]),
    part("ffn_up.weight", "mlp.up_proj.weight", [hidden, width]),
    part("ffn_down.weight", "mlp.down_proj.weight", [width, hidden]),
  ];
}
