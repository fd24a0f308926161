import type { Clock } from "../../../foundation/base/index.ts";

/**
 * Wall time that does not jump: what the clock said at the start, and since then only what has really passed. Ages are
 * told by it, so that setting the machine's clock frees and deletes nothing.
 */
export class SteadyClock implements Clock {
  readonly #clock: Clock;
  readonly #offset: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offset = clock.now() - clock.monotonic();
  }

  now(): number {
    return this.#offset + this.#clock.monotonic();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }
}

/**
 * Milliseconds during which this process was there to listen. While it is stopped, or its machine asleep, nobody can be
 * heard, and so nobody is silent.
 */
export class AttendedTime {
  readonly #clock: Clock;
  /** The most that passes between two looks of a process that is awake. */
  readonly #most: number;
  #seenAt: number;
  #attended = 0;

  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.#most = most;
    this.#seenAt = clock.monotonic();
  }

  /** To be called regularly. */
  look(): number {
    const now = this.#clock.monotonic();
    this.#attended += Math.min(this.#most, Math.max(0, now - this.#seenAt));
    this.#seenAt = now;
    return this.#attended;
  }

  get value(): number {
    return this.#attended;
  }
}
