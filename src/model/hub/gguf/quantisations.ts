import { q2_k, q3_k, q4_k, q5_k, q6_k } from "./large-blocks.ts";
import { bf16, f16, f32 } from "./plain-floats.ts";
import type { Quantisation } from "./quantisation.ts";
import { q4_0, q4_1, q5_0, q5_1, q8_0 } from "./small-blocks.ts";

/** Those that are read here, by their number in a file (ggml, `enum ggml_type`). */
export const quantisations: ReadonlyMap<number, Quantisation> = new Map([
  [0, f32],
  [1, f16],
  [2, q4_0],
  [3, q4_1],
  [6, q5_0],
  [7, q5_1],
  [8, q8_0],
  [10, q2_k],
  [11, q3_k],
  [12, q4_k],
  [13, q5_k],
  [14, q6_k],
  [30, bf16],
]);

const others: Readonly<Record<number, string>> = {
  9: "Q8_1",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  20: "IQ4_NL",
  21: "IQ3_S",
  22: "IQ2_S",
  23: "IQ4_XS",
  24: "I8",
  25: "I16",
  26: "I32",
  27: "I64",
  28: "F64",
  29: "IQ1_M",
  34: "TQ1_0",
  35: "TQ2_0",
  39: "MXFP4",
  40: "NVFP4",
};

/** What people call a kind of storage, read here or not. */
export function quantisationName(type: number): string {
  return quantisations.get(type)?.name ?? others[type] ?? `number ${type}`;
}
