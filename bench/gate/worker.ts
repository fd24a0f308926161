/** A thread of the gate's bench: does one job after the other, until it is ended. */
import { parentPort, workerData } from "node:worker_threads";
import { doJob, type Job } from "./jobs.ts";

const { seed } = workerData as { readonly seed: string };
parentPort?.on("message", async (job: Job) => {
  parentPort?.postMessage(await doJob(job, seed));
});
