import { WhetstoneError } from "../../../foundation/base/index.ts";

export function fail(message: string): never {
  throw new WhetstoneError({
    code: "conformance-failed",
    category: "engine",
    message: `${message}; the engine breaks its contract.`,
  });
}

export function assert(condition: boolean, message: string): void {
  if (!condition) fail(message);
}

/** Equal up to `tolerance`, relative to the expected value where that is above 1. */
export function assertClose(what: string, actual: number, expected: number, tolerance: number): void {
  const close = Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected));
  if (!close) fail(`${what} is ${actual}, and ${expected} was expected, to within ${tolerance}`);
}

export function assertAllClose(
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
    assertClose(`${what} [${index}]`, actual[index] as number, expected[index] as number, tolerance);
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

/** The call is refused with an error of that code. */
export async function assertRefused(what: string, call: () => Promise<unknown>, code: string): Promise<void> {
  try {
    await call();
  } catch (error) {
    const actual = (error as { code?: unknown }).code;
    if (actual === code) return;
    fail(`${what} was refused with ${JSON.stringify(actual)} instead of "${code}"`);
  }
  fail(`${what} was accepted instead of refused with "${code}"`);
}
