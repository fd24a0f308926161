import type { TokenIds } from "../../../foundation/contract/index.ts";
import { nowhere, PrefixIndex, type Reach } from "./prefix-index.ts";
import { normalAt, Word64 } from "./randomness.ts";

export interface TableOptions {
  readonly vocabulary: number;
  readonly reach: Reach;
  /** Initial logits are N(0, deviation²), drawn from (seed, prefix, token). */
  readonly seed: number;
  readonly deviation: number;
  /** Ids that are impossible. */
  readonly suppressed: readonly number[];
}

/**
 * Logits for every prefix that there is. Only rows that were trained on are stored; any other row is what it was drawn
 * as, times all decay since: its gradient and its moments are zero, so decay is all that an optimiser does to it, and
 * the table is at every moment the dense one.
 */
export class Table {
  readonly options: TableOptions;
  readonly index: PrefixIndex;
  /** Rows [rows, vocabulary] one after the other, with room to grow. */
  values: Float64Array;
  rows: number;
  /** Product of (1 − learning rate · weight decay) over all steps. */
  decay: number;

  constructor(options: TableOptions, stored?: Pick<Table, "index" | "values" | "rows" | "decay">) {
    this.options = options;
    this.index = stored?.index ?? new PrefixIndex(options.vocabulary, options.reach);
    this.values = stored?.values ?? new Float64Array(0);
    this.rows = stored?.rows ?? 0;
    this.decay = stored?.decay ?? 1;
  }

  /** The table as it is now. It shares the values: whoever changes them afterwards does so in a copy. */
  view(): Table {
    return new Table(this.options, this);
  }

  /** Writes the logits after a prefix, tokens[0…position], whose node is given, to `out`. */
  read(out: Float64Array, tokens: TokenIds, position: number, node: number): void {
    const { vocabulary, suppressed } = this.options;
    const row = this.index.row(node);
    if (row !== nowhere && row < this.rows) {
      const from = row * vocabulary;
      for (let token = 0; token < vocabulary; token++) out[token] = this.values[from + token] as number;
    } else this.#draw(out, 0, tokens, position);
    for (const token of suppressed) out[token] = Number.NEGATIVE_INFINITY;
  }

  /** The stored row of a node; it is made as the dense table has it. */
  rowOf(tokens: TokenIds, position: number, node: number): number {
    const known = this.index.row(node);
    if (known !== nowhere) return known;
    const { vocabulary } = this.options;
    const row = this.index.addRow(node);
    this.values = grown(this.values, (row + 1) * vocabulary);
    this.#draw(this.values, row * vocabulary, tokens, position);
    this.rows = row + 1;
    return row;
  }

  #draw(out: Float64Array, from: number, tokens: TokenIds, position: number): void {
    const { vocabulary, deviation } = this.options;
    const scale = deviation * this.decay;
    if (scale === 0) {
      out.fill(0, from, from + vocabulary);
      return;
    }
    const key = this.keyOf(this.options.seed, tokens, position);
    for (let token = 0; token < vocabulary; token++) out[from + token] = scale * normalAt(key, token);
  }

  /** A hash of a seed and of the prefix, tokens[0…position], that a row is for. */
  keyOf(seed: number, tokens: TokenIds, position: number): Word64 {
    const { reach } = this.options;
    const whole = position < reach.horizon;
    // Endings are other rows than the whole prefixes that look like them.
    const key = new Word64()
      .setInteger(seed)
      .addGolden(whole ? 1 : 2)
      .mix();
    for (let at = whole ? 0 : position - reach.backOff + 1; at <= position; at++)
      key.addGolden((tokens[at] as number) + 1).mix();
    return key;
  }
}

/** The array, or a copy with room for at least as many numbers; zeros behind what was there. */
export function grown(array: Float64Array, needed: number): Float64Array {
  if (needed <= array.length) return array;
  const larger = new Float64Array(Math.max(needed, 2 * array.length, 1024));
  larger.set(array);
  return larger;
}
