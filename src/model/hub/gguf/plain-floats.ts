import { halves } from "./floats.ts";
import { blockwise, type Quantisation } from "./quantisation.ts";

/** Numbers that are not quantised at all. */
export const f32: Quantisation = {
  name: "F32",
  size: 1,
  bytes: 4,
  dequantise: (blocks, values) => {
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength).set(
      blocks.subarray(0, values.byteLength),
    );
  },
};

export const f16: Quantisation = blockwise("F16", 1, 2, (blocks, at, values, to) => {
  values[to] = halves[(blocks[at] as number) | ((blocks[at + 1] as number) << 8)] as number;
});

export const bf16: Quantisation = {
  name: "BF16",
  size: 1,
  bytes: 2,
  dequantise: (blocks, values) => {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    for (let i = 0; i < bits.length; i++)
      bits[i] = ((blocks[2 * i] as number) << 16) | ((blocks[2 * i + 1] as number) << 24);
  },
};
