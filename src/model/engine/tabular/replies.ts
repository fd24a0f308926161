import { engineError } from "../engine-error.ts";

/** Replies that are kept for calls that are made again. */
const remembered = 64;

/** Runs each numbered call once. */
export class Replies {
  readonly #replies = new Map<number, object>();
  #applied = 0;

  /**
   * Runs the next call, or answers one that was applied from its record. Throws `sequence-gap` and `sequence-forgotten`;
   * a call that throws is not counted.
   */
  once<T extends object>(sequence: number, run: () => T): T & { readonly sequence: number } {
    if (sequence <= this.#applied) {
      const reply = this.#replies.get(sequence);
      if (reply !== undefined) return reply as T & { readonly sequence: number };
      throw engineError("sequence-forgotten", `Call ${sequence} was applied, and its reply is forgotten.`);
    }
    if (sequence !== this.#applied + 1)
      throw engineError("sequence-gap", `Call ${sequence} came after call ${this.#applied}.`);
    const reply = { ...run(), sequence };
    this.#applied = sequence;
    this.#replies.set(sequence, reply);
    this.#replies.delete(sequence - remembered);
    return reply;
  }
}
