import type { Projection } from "../projection.ts";
import { Word64 } from "./randomness.ts";
import type { Table } from "./table.ts";
import type { Trace } from "./trace.ts";

const bits = 64;

/**
 * The traced gradient times a matrix of ±1/√dimensions (TRAK, arXiv 2303.14186, section 3.2). A sign depends on seed,
 * prefix, token and dimension alone: not on which rows a table happens to store, nor in which order.
 */
export function project(table: Table, trace: Trace, { dimensions, seed }: Projection): Float32Array {
  const features = new Float64Array(dimensions);
  const slope = new Float64Array(table.options.vocabulary);
  const blocks = Math.ceil(dimensions / bits);
  const word = new Word64();
  for (const [place, { tokens, position }] of trace.places.entries()) {
    trace.slope(place, slope);
    // Not the numbers that a table of the same seed was drawn from.
    const { high, low } = table.keyOf(seed, tokens, position).addGolden(1).mix();
    for (const [token, value] of slope.entries()) {
      if (value === 0) continue;
      for (let block = 0; block < blocks; block++) {
        word
          .set(high, low)
          .addGolden(token * blocks + block + 1)
          .mix();
        const end = Math.min(bits, dimensions - block * bits);
        for (let bit = 0; bit < end; bit++) {
          const half = bit < 32 ? word.low : word.high;
          const at = block * bits + bit;
          features[at] = (features[at] as number) + (((half >>> (bit & 31)) & 1) === 1 ? value : -value);
        }
      }
    }
  }
  return Float32Array.from(features, (value) => value / Math.sqrt(dimensions));
}
