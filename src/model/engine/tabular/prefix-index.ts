import type { TokenIds } from "../../../foundation/contract/index.ts";

/** Which prefixes share a row: each its own up to `horizon` tokens, and beyond that all that end in the same `backOff` tokens. */
export interface Reach {
  readonly horizon: number;
  /** At most `horizon`. */
  readonly backOff: number;
}

/** No such prefix was stored. */
export const nowhere = -1;

const wholeRoot = 0;
const endingRoot = 1;

/**
 * Numbers the prefixes that were trained on. It only ever grows, so that all versions of a table share it: a version
 * knows the rows below its own count.
 */
export class PrefixIndex {
  readonly reach: Reach;
  readonly #vocabulary: number;
  readonly #children = new Map<number, number>();
  readonly #parents: number[] = [nowhere, nowhere];
  readonly #tokens: number[] = [nowhere, nowhere];
  readonly #rows: number[] = [nowhere, nowhere];
  /** The node of each row. */
  readonly #nodes: number[] = [];

  constructor(vocabulary: number, reach: Reach) {
    this.#vocabulary = vocabulary;
    this.reach = reach;
  }

  get rows(): number {
    return this.#nodes.length;
  }

  /** Before the first token. */
  get start(): number {
    return wholeRoot;
  }

  /** The node of the prefix that ends at a position; `before` is that of the prefix one shorter. */
  node(tokens: TokenIds, position: number, before: number): number {
    const { horizon, backOff } = this.reach;
    if (position < horizon)
      return before === nowhere ? nowhere : this.#child(before, tokens[position] as number);
    let node = endingRoot;
    for (let at = position - backOff + 1; at <= position && node !== nowhere; at++)
      node = this.#child(node, tokens[at] as number);
    return node;
  }

  /** As `node`, but makes what is missing; `before` must exist. */
  grow(tokens: TokenIds, position: number, before: number): number {
    const { horizon, backOff } = this.reach;
    if (position < horizon) return this.#grown(before, tokens[position] as number);
    let node = endingRoot;
    for (let at = position - backOff + 1; at <= position; at++)
      node = this.#grown(node, tokens[at] as number);
    return node;
  }

  /** The row of a node, or `nowhere`. */
  row(node: number): number {
    return node === nowhere ? nowhere : (this.#rows[node] as number);
  }

  addRow(node: number): number {
    const row = this.#nodes.length;
    this.#nodes.push(node);
    this.#rows[node] = row;
    return row;
  }

  #child(node: number, token: number): number {
    return this.#children.get(node * this.#vocabulary + token) ?? nowhere;
  }

  #grown(parent: number, token: number): number {
    const known = this.#child(parent, token);
    if (known !== nowhere) return known;
    const node = this.#parents.length;
    this.#children.set(parent * this.#vocabulary + token, node);
    this.#parents.push(parent);
    this.#tokens.push(token);
    this.#rows.push(nowhere);
    return node;
  }

  /** Parent and token of every node after the two roots, and the node of every row. */
  toArrays(): { parents: Int32Array; tokens: Int32Array; nodes: Int32Array } {
    return {
      parents: Int32Array.from(this.#parents.slice(2)),
      tokens: Int32Array.from(this.#tokens.slice(2)),
      nodes: Int32Array.from(this.#nodes),
    };
  }

  static fromArrays(
    vocabulary: number,
    reach: Reach,
    { parents, tokens, nodes }: ReturnType<PrefixIndex["toArrays"]>,
  ): PrefixIndex {
    const index = new PrefixIndex(vocabulary, reach);
    for (const [at, parent] of parents.entries()) index.#grown(parent, tokens[at] as number);
    for (const node of nodes) index.addRow(node);
    return index;
  }
}
