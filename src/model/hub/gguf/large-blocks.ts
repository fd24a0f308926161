import { halves } from "./floats.ts";
import { blockwise } from "./quantisation.ts";

/** Blocks of 256 numbers in sub-blocks with small scales of their own (ggml, `block_q2_K` …). */
const size = 256;

function half(blocks: Uint8Array, at: number): number {
  return halves[(blocks[at] as number) | ((blocks[at + 1] as number) << 8)] as number;
}

/** Bytes of a block: 16 scales, 64 pairs of pairs of numbers, the scale of the scales, that of the least values. */
export const q2_k = blockwise("Q2_K", size, 84, (blocks, at, values, to) => {
  const scale = half(blocks, at + 80);
  const least = half(blocks, at + 82);
  for (let i = 0; i < 16; i++) {
    const both = blocks[at + i] as number;
    const step = scale * (both & 15);
    const from = least * (both >> 4);
    const shift = i & 6;
    const quarters = at + 16 + 32 * (i >> 3) + 16 * (i & 1);
    for (let l = 0; l < 16; l++)
      values[to + 16 * i + l] = step * (((blocks[quarters + l] as number) >> shift) & 3) - from;
  }
});

/** Bytes of a block: 32 of third bits, 64 of lower bits, 12 of scales (6 bits each), the scale of the scales. */
export const q3_k = blockwise("Q3_K", size, 110, (blocks, at, values, to) => {
  const scale = half(blocks, at + 108);
  const scales = at + 96;
  for (let i = 0; i < 16; i++) {
    const low = i < 8 ? (blocks[scales + i] as number) & 15 : (blocks[scales + i - 8] as number) >> 4;
    const high = ((blocks[scales + 8 + (i & 3)] as number) >> (2 * (i >> 2))) & 3;
    const step = scale * ((low | (high << 4)) - 32);
    const shift = i & 6;
    const third = 4 * (i >> 3) + (shift >> 1);
    const first = 16 * (i & 1);
    const quarters = at + 32 + 32 * (i >> 3) + first;
    for (let l = 0; l < 16; l++) {
      const without = ((blocks[at + first + l] as number) >> third) & 1 ? 0 : 4;
      values[to + 16 * i + l] = step * ((((blocks[quarters + l] as number) >> shift) & 3) - without);
    }
  }
});

/** The scale of sub-block i of Q4_K and Q5_K, in 6 bits of the 12 bytes at `at`. */
function scaleOf(blocks: Uint8Array, at: number, i: number): number {
  if (i < 4) return (blocks[at + i] as number) & 63;
  return ((blocks[at + i + 4] as number) & 15) | (((blocks[at + i - 4] as number) >> 6) << 4);
}

/** Its least value, there too. */
function leastOf(blocks: Uint8Array, at: number, i: number): number {
  if (i < 4) return (blocks[at + i + 4] as number) & 63;
  return ((blocks[at + i + 4] as number) >> 4) | (((blocks[at + i] as number) >> 6) << 4);
}

/** Bytes of a block: scale of the scales and of the least values, 12 of both, 128 pairs of numbers. */
export const q4_k = blockwise("Q4_K", size, 144, (blocks, at, values, to) => {
  const scale = half(blocks, at);
  const least = half(blocks, at + 2);
  for (let i = 0; i < 8; i++) {
    const step = scale * scaleOf(blocks, at + 4, i);
    const from = least * leastOf(blocks, at + 4, i);
    const pairs = at + 16 + 32 * (i >> 1);
    const shift = 4 * (i & 1);
    for (let l = 0; l < 32; l++)
      values[to + 32 * i + l] = step * (((blocks[pairs + l] as number) >> shift) & 15) - from;
  }
});

/** As Q4_K, with 32 bytes of fifth bits before the pairs: bit i of byte l is that of number l of sub-block i. */
export const q5_k = blockwise("Q5_K", size, 176, (blocks, at, values, to) => {
  const scale = half(blocks, at);
  const least = half(blocks, at + 2);
  for (let i = 0; i < 8; i++) {
    const step = scale * scaleOf(blocks, at + 4, i);
    const from = least * leastOf(blocks, at + 4, i);
    const pairs = at + 48 + 32 * (i >> 1);
    const shift = 4 * (i & 1);
    for (let l = 0; l < 32; l++) {
      const fifth = (((blocks[at + 16 + l] as number) >> i) & 1) << 4;
      values[to + 32 * i + l] = step * ((((blocks[pairs + l] as number) >> shift) & 15) | fifth) - from;
    }
  }
});

/** Bytes of a block: 128 of lower four bits, 64 of upper two, 16 signed scales, the scale of the scales. */
export const q6_k = blockwise("Q6_K", size, 210, (blocks, at, values, to) => {
  const scale = half(blocks, at + 208);
  for (let i = 0; i < 16; i++) {
    const step = scale * (((blocks[at + 192 + i] as number) << 24) >> 24);
    const part = i >> 3;
    const row = (i & 7) >> 1;
    const first = 16 * (i & 1);
    const lower = at + 64 * part + 32 * (row & 1) + first;
    const upper = at + 128 + 32 * part + first;
    const shift = 4 * (row >> 1);
    for (let l = 0; l < 16; l++) {
      const low = ((blocks[lower + l] as number) >> shift) & 15;
      const high = ((blocks[upper + l] as number) >> (2 * row)) & 3;
      values[to + 16 * i + l] = step * ((low | (high << 4)) - 32);
    }
  }
});
