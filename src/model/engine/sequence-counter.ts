export interface TakenSequence {
  readonly sequence: number;
  /** Not a retry of an earlier call. */
  readonly fresh: boolean;
  /** To be called when the call failed: it has used up no number. */
  readonly failed: () => void;
}

/**
 * Numbers the calls on one model 1, 2, 3 … as engines expect them. Calls are pipelined, so when one fails, those
 * written after it are refused for the gap that it leaves; the count goes back once, to the first that failed.
 */
export class SequenceCounter {
  #next = 1;
  #epoch = 0;

  /** The next number, or the one of a call to be repeated. */
  take(again?: number): TakenSequence {
    const sequence = again ?? this.#next;
    const before = this.#next;
    const fresh = sequence >= before;
    if (!fresh) return { sequence, fresh, failed: () => undefined };
    this.#next = sequence + 1;
    const epoch = this.#epoch;
    const failed = (): void => {
      if (epoch !== this.#epoch) return;
      this.#epoch += 1;
      this.#next = before;
    };
    return { sequence, fresh, failed };
  }
}
