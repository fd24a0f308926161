import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

export interface LockOptions {
  readonly signal?: AbortSignal;
  /** Called while another holds it, again and again. */
  readonly onWait?: (seconds: number) => void;
  readonly pollMs?: number;
}

const sqliteBusy = 5;

/**
 * Waits for a lock that the kernel holds for this process, and frees when it dies, however it dies: an exclusive
 * transaction on an otherwise empty SQLite file.
 */
export async function lockFile(
  path: string,
  { signal, onWait, pollMs = 200 }: LockOptions = {},
): Promise<Disposable> {
  const began = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const held = tryLock(path);
    if (held !== undefined) return held;
    onWait?.((performance.now() - began) / 1000);
    await sleep(pollMs, undefined, signal ? { signal } : {});
  }
}

function tryLock(path: string): Disposable | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return { [Symbol.dispose]: () => database.close() };
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy) return undefined;
    throw error;
  }
}
