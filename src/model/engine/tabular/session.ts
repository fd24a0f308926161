import { type Clock, waitFor } from "../../../foundation/base/index.ts";
import { engineError } from "../engine-error.ts";
import type { Tally } from "../tally.ts";

/** What an engine's models and samplers have in common. */
export interface Session {
  readonly clock: Clock;
  readonly tally: Tally;
  busySeconds: number;
  closed: boolean;
}

/**
 * Computes at once, so that calls run in the order in which they are made and see their data as it is now, and answers in
 * a later turn of the event loop, so that a long run of calls starves nobody. Throws `engine-closed`.
 */
export function answer<T>(session: Session, work: () => T): Promise<T> {
  const begun = session.clock.monotonic();
  const settle = settled(session, work);
  session.busySeconds += (session.clock.monotonic() - begun) / 1000;
  return new Promise((resolve, reject) => setImmediate(() => settle(resolve, reject)));
}

type Settle<T> = (resolve: (value: T) => void, reject: (reason: unknown) => void) => void;

function settled<T>(session: Session, work: () => T): Settle<T> {
  try {
    if (session.closed) throw engineError("engine-closed", "The engine is closed; open a new one.");
    const value = work();
    return (resolve) => resolve(value);
  } catch (error) {
    return (_, reject) => reject(error);
  }
}

/** As {@link answer}, for a call that is not numbered. Rejects with the signal's reason once that aborts. */
export async function answerUnless<T>(
  session: Session,
  signal: AbortSignal | undefined,
  work: () => T,
): Promise<T> {
  signal?.throwIfAborted();
  return await waitFor(answer(session, work), signal);
}
