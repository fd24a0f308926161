import type { TopLogprobs } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";

export const mostTop = 64;

/** Throws `bad-request`. */
export function checkTop(k = 0, vocabulary: number): void {
  if (!Number.isInteger(k) || k < 0 || k > Math.min(mostTop, vocabulary))
    throw engineError(
      "bad-request",
      `The ${k} most probable tokens were asked for; it is a whole number up to ${Math.min(mostTop, vocabulary)}.`,
    );
}

/** What an array holds, with room for more. */
export function withRoom<T extends Int32Array | Float32Array>(array: T, length: number): T {
  const larger = new (array.constructor as new (length: number) => T)(length);
  larger.set(array);
  return larger;
}

/** The k most probable tokens at positions that are written one after the other; of equal ones the lower id comes first. */
export class TopTokens {
  readonly #k: number;
  #tokens: Int32Array;
  #logprobs: Float32Array;

  constructor(k: number, positions: number) {
    this.#k = k;
    this.#tokens = new Int32Array(k * positions);
    this.#logprobs = new Float32Array(k * positions).fill(Number.NaN);
  }

  /** `logarithm` is that of the sum of the logits' exponentials. */
  write(position: number, logits: Float64Array, logarithm: number): void {
    if (this.#k === 0) return;
    if (this.#tokens.length < (position + 1) * this.#k) {
      this.#tokens = withRoom(this.#tokens, 2 * (position + 1) * this.#k);
      this.#logprobs = withRoom(this.#logprobs, 2 * (position + 1) * this.#k);
    }
    const of = (token: number): number => logits[token] as number;
    // Not a difference: impossible tokens would give no number.
    const ranked = Array.from(logits.keys()).sort((a, b) =>
      of(a) === of(b) ? a - b : of(a) < of(b) ? 1 : -1,
    );
    for (const [rank, token] of ranked.slice(0, this.#k).entries()) {
      this.#tokens[position * this.#k + rank] = token;
      this.#logprobs[position * this.#k + rank] = of(token) - logarithm;
    }
  }

  upTo(positions: number): { readonly top?: TopLogprobs } {
    const [k, end] = [this.#k, this.#k * positions];
    if (k === 0) return {};
    return { top: { k, tokens: this.#tokens.slice(0, end), logprobs: this.#logprobs.slice(0, end) } };
  }
}
