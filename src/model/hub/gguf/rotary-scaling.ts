import { closeSync, openSync, readSync } from "node:fs";
import { unsupportedGguf } from "./gguf-error.ts";
import { numberOf, textOf } from "./metadata.ts";
import { quantisations } from "./quantisations.ts";
import type { Gguf, GgufTensor } from "./read-gguf.ts";

/** How rotary positions are stretched, in the words of `config.json`. */
export type RotaryScaling =
  | { readonly rope_type: "linear"; readonly factor: number }
  | {
      readonly rope_type: "llama3";
      readonly factor: number;
      readonly low_freq_factor: number;
      readonly high_freq_factor: number;
      readonly original_max_position_embeddings: number;
    };

/** Throws a user error `gguf-unsupported` for ways to stretch them that the engine has not. */
export function rotaryScaling(gguf: Gguf, kind: string, headWidth: number): RotaryScaling | undefined {
  const table = gguf.tensors.get("rope_freqs.weight");
  if (table !== undefined) return llama3Scaling(gguf, kind, headWidth, table);
  const type = textOf(gguf, `${kind}.rope.scaling.type`) ?? "none";
  const factor = numberOf(gguf, `${kind}.rope.scaling.factor`) ?? 1;
  if (type === "none" || (type === "linear" && factor === 1)) return undefined;
  if (type === "linear") return { rope_type: "linear", factor };
  throw unsupportedGguf(gguf.path, `stretches its positions by ${type}, which cannot be run here`);
}

/** Files hold the divisor of each frequency, made from four numbers; three of them are the same in all known models. */
function llama3Scaling(gguf: Gguf, kind: string, headWidth: number, table: GgufTensor): RotaryScaling {
  const divisors = readSmall(gguf.path, table);
  const base = numberOf(gguf, `${kind}.rope.freq_base`) ?? 10_000;
  const scaling = {
    rope_type: "llama3",
    factor: Math.max(...divisors),
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: numberOf(gguf, `${kind}.rope.scaling.original_context_length`) ?? 8192,
  } as const;
  const expected = Array.from({ length: headWidth / 2 }, (_, i) => {
    const turns = scaling.original_max_position_embeddings / (2 * Math.PI * base ** ((2 * i) / headWidth));
    const smooth = Math.min(1, Math.max(0, (turns - 1) / 3));
    return 1 / ((1 - smooth) / scaling.factor + smooth);
  });
  const same =
    divisors.length === expected.length &&
    expected.every((value, i) => Math.abs((divisors[i] as number) / value - 1) < 1e-3);
  if (same) return scaling;
  throw unsupportedGguf(gguf.path, "stretches its positions by a table that is not Llama 3's");
}

function readSmall(path: string, tensor: GgufTensor): Float32Array {
  const bytes = new Uint8Array(tensor.bytes);
  const file = openSync(path, "r");
  try {
    readSync(file, bytes, 0, bytes.length, tensor.offset);
  } finally {
    closeSync(file);
  }
  const values = new Float32Array(tensor.shape.reduce((product, size) => product * size, 1));
  quantisations.get(tensor.type)?.dequantise(bytes, values);
  return values;
}
