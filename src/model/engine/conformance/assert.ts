import { WhetstoneError } from "../../../foundation/base/index.ts";
import type { Measurement } from "./subject.ts";

/** Where comparisons are written down. */
export interface Recorder {
  record(measurement: Measurement): void;
}

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

/** Equal up to `tolerance`, relative to the expected value where that is above 1. */
export function assertClose(
  recorder: Recorder,
  what: string,
  actual: number,
  expected: number,
  tolerance: number,
): void {
  const same = Object.is(actual, expected);
  const measured = same ? 0 : Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
  recorder.record({ what, measured, tolerance });
  if (!(measured <= tolerance))
    fail(`${what} is ${actual}, and ${expected} was expected, to within ${tolerance}`, {
      what,
      measured,
      tolerance,
    });
}

export function assertAllClose(
  recorder: Recorder,
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  assert(
    actual.length === expected.length,
    `${what}: ${actual.length} numbers instead of ${expected.length}`,
  );
  for (let index = 0; index < expected.length; index++)
    assertClose(
      recorder,
      `${what} [${index}]`,
      actual[index] as number,
      expected[index] as number,
      tolerance,
    );
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
  tolerance: number,
): void {
  const most = Math.max(...Array.from(before, (value, index) => Math.abs((actual[index] as number) - value)));
  assert(most > 20 * tolerance, `${what} moved by ${most} only`);
}

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
