import { userError } from "../../../foundation/base/index.ts";
import type { AttendedTime } from "./steady-clock.ts";

interface Waiting {
  /** Attended milliseconds. */
  readonly since: number;
  readonly start: () => Promise<unknown>;
  readonly refuse: (reason: unknown) => void;
}

export interface OperationQueueOptions {
  readonly attended: AttendedTime;
  /** How long a call waits for one of an earlier number, while there is somebody to hear it. */
  readonly gapMs: number;
}

/** Calls on one model that a client may have under way. */
const mostMissing = 100_000;

/**
 * Runs the calls on one model one after the other in the order of their numbers, 1, 2, 3 …, in whatever order they come.
 * A call that fails uses its number up.
 */
export class OperationQueue {
  readonly #options: OperationQueueOptions;
  readonly #waiting = new Map<number, Waiting>();
  /** The numbers of calls that were not waited for any longer, from and to. */
  readonly #givenUp: (readonly [from: number, to: number])[] = [];
  #next = 1;
  #running = false;
  #closed: unknown;

  constructor(options: OperationQueueOptions) {
    this.#options = options;
  }

  /** Whether so many calls were never made before it that they cannot be on their way. */
  tooFar(sequence: number): boolean {
    return sequence - this.#next > mostMissing;
  }

  /** Whether a call of this number was made already. */
  taken(sequence: number): boolean {
    return sequence < this.#next || this.#waiting.has(sequence);
  }

  /** Whether it comes after calls of later numbers were refused for want of it. */
  tooLate(sequence: number): boolean {
    return this.#givenUp.some(([from, to]) => sequence >= from && sequence <= to);
  }

  run<T>(sequence: number, work: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return new Promise<T>((resolve, refuse) => {
      const start = (): Promise<unknown> => work().then(resolve, refuse);
      this.#waiting.set(sequence, { since: this.#options.attended.value, start, refuse });
      void this.#advance();
    });
  }

  async #advance(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    for (let call = this.#take(); call !== undefined; call = this.#take()) await call.start();
    this.#running = false;
  }

  #take(): Waiting | undefined {
    const call = this.#waiting.get(this.#next);
    if (call === undefined) return undefined;
    this.#waiting.delete(this.#next);
    this.#next += 1;
    return call;
  }

  /**
   * Refuses the calls that have waited too long for one that never came: to run them would leave out what it was to do.
   * Later ones run again.
   */
  giveUpGaps(): void {
    if (this.#running || this.#waiting.size === 0) return;
    const { attended, gapMs } = this.#options;
    const sequences = [...this.#waiting.keys()];
    const waitedFor = this.#next;
    const oldest = Math.min(...Array.from(this.#waiting.values(), ({ since }) => since));
    if (attended.value - oldest < gapMs) return;
    const error = userError(
      "missing-call",
      `Call ${waitedFor} of this model never came, so the calls after it were not run: make them again.`,
      { sequence: waitedFor },
    );
    this.#next = Math.max(...sequences) + 1;
    this.#givenUp.push([waitedFor, this.#next - 1]);
    this.#refuseAll(error);
  }

  /** Refuses what waits and what will come; what runs is left to end. */
  close(reason: unknown): void {
    this.#closed = reason;
    this.#refuseAll(reason);
  }

  #refuseAll(reason: unknown): void {
    for (const { refuse } of this.#waiting.values()) refuse(reason);
    this.#waiting.clear();
  }
}
