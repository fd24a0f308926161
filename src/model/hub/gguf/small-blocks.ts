import { halves } from "./floats.ts";
import { blockwise } from "./quantisation.ts";

/** Blocks of 32 numbers with a scale, and in the kinds that end in 1 with a least value too (ggml, `block_q4_0` …). */
const size = 32;

function half(blocks: Uint8Array, at: number): number {
  return halves[(blocks[at] as number) | ((blocks[at + 1] as number) << 8)] as number;
}

export const q4_0 = blockwise("Q4_0", size, 18, (blocks, at, values, to) => {
  const scale = half(blocks, at);
  for (let j = 0; j < 16; j++) {
    const pair = blocks[at + 2 + j] as number;
    values[to + j] = scale * ((pair & 15) - 8);
    values[to + 16 + j] = scale * ((pair >> 4) - 8);
  }
});

export const q4_1 = blockwise("Q4_1", size, 20, (blocks, at, values, to) => {
  const scale = half(blocks, at);
  const least = half(blocks, at + 2);
  for (let j = 0; j < 16; j++) {
    const pair = blocks[at + 4 + j] as number;
    values[to + j] = scale * (pair & 15) + least;
    values[to + 16 + j] = scale * (pair >> 4) + least;
  }
});

/** The fifth bits of a block's numbers: one bit each, those of the first half in the lower two bytes. */
function fifth(blocks: Uint8Array, bits: number, j: number): number {
  return (((blocks[bits + (j >> 3)] as number) >> (j & 7)) & 1) << 4;
}

export const q5_0 = blockwise("Q5_0", size, 22, (blocks, at, values, to) => {
  const scale = half(blocks, at);
  for (let j = 0; j < 16; j++) {
    const pair = blocks[at + 6 + j] as number;
    values[to + j] = scale * (((pair & 15) | fifth(blocks, at + 2, j)) - 16);
    values[to + 16 + j] = scale * (((pair >> 4) | fifth(blocks, at + 2, j + 16)) - 16);
  }
});

export const q5_1 = blockwise("Q5_1", size, 24, (blocks, at, values, to) => {
  const scale = half(blocks, at);
  const least = half(blocks, at + 2);
  for (let j = 0; j < 16; j++) {
    const pair = blocks[at + 8 + j] as number;
    values[to + j] = scale * ((pair & 15) | fifth(blocks, at + 4, j)) + least;
    values[to + 16 + j] = scale * ((pair >> 4) | fifth(blocks, at + 4, j + 16)) + least;
  }
});

export const q8_0 = blockwise("Q8_0", size, 34, (blocks, at, values, to) => {
  const scale = half(blocks, at);
  for (let j = 0; j < size; j++) values[to + j] = scale * (((blocks[at + 2 + j] as number) << 24) >> 24);
});
