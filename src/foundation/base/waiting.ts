/**
 * Waits for a value until the signal aborts, and then rejects with its reason. What was begun goes on: a worker is not
 * interrupted, because a half-applied call would leave weights that nobody knows.
 */
export function waitFor<T>(value: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return value;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  value.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  return promise;
}

/** All results, or the first error once nothing is under way any more. */
export async function allSettled<T extends readonly Promise<unknown>[]>(
  promises: readonly [...T],
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return (await Promise.all(promises)) as { -readonly [K in keyof T]: Awaited<T[K]> };
}
