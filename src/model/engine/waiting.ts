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
