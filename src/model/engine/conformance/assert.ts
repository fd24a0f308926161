import { WhetstoneError } from "../../../foundation/base/index.ts";
import type { Measurement } from "./subject.ts";

/** Where comparisons are written down. */
export interface Recorder {
  record(measurement: Measurement): void;
}

/** How near numbers that are equal lie: each of them, and all on average, which is less only where an engine states so. */
export interface Closeness {
  readonly each: number;
  readonly mean: number;
}

/** So many times farther than it would have to be to be seen. */
const enough = 20;
/** The same on average, where tolerances are so wide that nothing goes 20 times as far. */
const enoughOnAverage = 4;

export function fail(message: string, details: Readonly<{ [name: string]: string | number }> = {}): never {
  throw new WhetstoneError({
    code: "conformance-failed",
    category: "engine",
    message: `${message}; the engine breaks its contract.`,
    details,
  });
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) fail(message);
}

/** Relative to the expected value where that is above 1. */
function distance(actual: number, expected: number): number {
  return Object.is(actual, expected) ? 0 : Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
}

/** Equal up to `tolerance`, relative to the expected value where that is above 1. */
export function assertClose(
  recorder: Recorder,
  what: string,
  actual: number,
  expected: number,
  tolerance: number,
): void {
  const measured = distance(actual, expected);
  recorder.record({ what, measured, tolerance });
  if (!(measured <= tolerance))
    fail(`${what} is ${actual}, and ${expected} was expected, to within ${tolerance}`, {
      what,
      measured,
      tolerance,
    });
}

/** Lists of numbers, each of which may be short: every number is compared at once, and their average when all are there. */
export class Comparison {
  readonly #recorder: Recorder;
  readonly #within: Closeness;
  #sum = 0;
  #count = 0;

  constructor(recorder: Recorder, within: Closeness) {
    this.#recorder = recorder;
    this.#within = within;
  }

  add(what: string, actual: ArrayLike<number>, expected: ArrayLike<number>): void {
    assert(
      actual.length === expected.length,
      `${what}: ${actual.length} numbers instead of ${expected.length}`,
    );
    for (let index = 0; index < expected.length; index++) {
      const [found, wanted] = [actual[index] as number, expected[index] as number];
      assertClose(this.#recorder, `${what} [${index}]`, found, wanted, this.#within.each);
      if (Number.isNaN(wanted)) continue;
      this.#sum += Object.is(found, wanted) ? 0 : Math.abs(found - wanted);
      this.#count += 1;
    }
  }

  end(what: string): void {
    const { each, mean } = this.#within;
    if (mean >= each || this.#count === 0) return;
    assertAtMost(
      this.#recorder,
      `how far ${what} is from what it should be, on average,`,
      this.#sum / this.#count,
      mean,
    );
  }
}

export function assertAllClose(
  recorder: Recorder,
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  within: Closeness | number,
): void {
  const comparison = new Comparison(recorder, both(within));
  comparison.add(what, actual, expected);
  comparison.end(what);
}

/** A number that is small where all is well: a distance, a count of deviations. */
export function assertAtMost(recorder: Recorder, what: string, measured: number, tolerance: number): void {
  recorder.record({ what, measured, tolerance });
  if (!(measured <= tolerance))
    fail(`${what} is ${measured}, and at most ${tolerance}`, { what, measured, tolerance });
}

/** Guards a comparison against comparing nothing: what is compared later has changed from what it was. */
export function assertMoved(
  what: string,
  actual: ArrayLike<number>,
  before: ArrayLike<number>,
  within: Closeness | number,
): void {
  const apart = Array.from(before, (value, index) => Math.abs((actual[index] as number) - value));
  const { each, mean } = both(within);
  if (mean < each) {
    const average = apart.reduce((sum, one) => sum + one, 0) / apart.length;
    assertFar(`${what} on average`, average, enoughOnAverage * mean);
  } else assertFar(what, Math.max(...apart), enough * each);
}

/** Steps may be too short for it: the check is then run again with longer ones ({@link shortfall}). */
export function assertFar(what: string, moved: number, needed: number): void {
  if (!(moved > needed))
    fail(`${what} moved by ${moved} only, and it takes ${needed} to tell`, { moved, needed });
}

/** How many times farther what was to move must move, where that is why it failed. */
export function shortfall(error: unknown): number | undefined {
  if (!(error instanceof WhetstoneError) || error.code !== "conformance-failed") return undefined;
  const { moved, needed } = error.details;
  if (typeof moved !== "number" || typeof needed !== "number") return undefined;
  return moved > 0 ? needed / moved : Number.POSITIVE_INFINITY;
}

const both = (within: Closeness | number): Closeness =>
  typeof within === "number" ? { each: within, mean: within } : within;

/** The call is refused, with an error of that code where one is named; returns it. */
export async function assertRefused(
  what: string,
  call: () => Promise<unknown>,
  code?: string,
): Promise<{ readonly message: string }> {
  let refusal: unknown;
  try {
    await call();
  } catch (error) {
    refusal = error;
  }
  if (refusal === undefined)
    fail(`${what} was accepted instead of refused${code === undefined ? "" : ` with "${code}"`}`);
  const actual = (refusal as { code?: unknown }).code;
  if (code !== undefined && actual !== code)
    fail(`${what} was refused with ${JSON.stringify(actual)} instead of "${code}"`);
  return refusal as { readonly message: string };
}
