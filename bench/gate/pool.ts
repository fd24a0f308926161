import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Job, Outcome } from "./jobs.ts";

/** Does jobs on all cores; what came of them, in their order. */
export async function doJobs(jobs: readonly Job[], seed: string): Promise<Outcome[]> {
  const outcomes = new Array<Outcome>(jobs.length);
  let next = 0;
  const threads = Array.from({ length: Math.min(availableParallelism(), jobs.length) }, async () => {
    const thread = new Worker(new URL("./worker.ts", import.meta.url), { workerData: { seed } });
    try {
      for (let index = next++; index < jobs.length; index = next++) {
        thread.postMessage(jobs[index]);
        [outcomes[index]] = (await once(thread, "message")) as [Outcome];
      }
    } finally {
      await thread.terminate();
    }
  });
  await Promise.all(threads);
  return outcomes;
}
