/** Time, passed in so that tests and replays can hold it. Decisions never read it. */
export interface Clock {
  /** Wall time for people, milliseconds since 1970; may jump back. */
  now(): number;
  /** Milliseconds that never run backwards, for durations. */
  monotonic(): number;
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
