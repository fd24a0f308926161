import { setTimeout as sleep } from "node:timers/promises";
import { tryLockFile } from "../../../foundation/base/index.ts";

export interface LockOptions {
  readonly signal?: AbortSignal;
  /** Called while another holds it, again and again. */
  readonly onWait?: (seconds: number) => void;
  readonly pollMs?: number;
}

/** Waits for a lock that the kernel holds for this process, and frees when it dies, however it dies. */
export async function lockFile(
  path: string,
  { signal, onWait, pollMs = 200 }: LockOptions = {},
): Promise<Disposable> {
  const began = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const held = tryLockFile(path);
    if (held !== undefined) return held;
    onWait?.((performance.now() - began) / 1000);
    await sleep(pollMs, undefined, signal ? { signal } : {});
  }
}
