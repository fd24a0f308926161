import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installEngine } from "../../src/model/engine/local/index.ts";
import { pulledModel } from "../math-rl/environment.ts";
import { median, type Row } from "./row.ts";

/** Seconds that a first run may take until its model samples. */
const most = 20;
const script = join(import.meta.dirname, "start-run.ts");
const cutOff = ["unshare", "--map-root-user", "--net"];

/**
 * Seconds from the start of a program that runs the example in an empty folder to its model's first answers, set up and
 * pulled before, in a network namespace without a network where the system lets us have one.
 */
export async function startRows(rounds: number): Promise<Row[]> {
  await installEngine();
  pulledModel();
  const [program = "", ...rest] = cutOff;
  const alone = spawnSync(program, [...rest, "true"]).status === 0;
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) seconds.push(await secondsToSample(alone ? cutOff : []));
  const used = median(seconds);
  return [
    {
      work: "from the start of a first run on the example to its first answers",
      against: `${most} s`,
      setting: `SmolLM2-135M; ${alone ? "without a network" : "the network could not be cut off here"}; median of ${rounds}: ${used.toFixed(1)} s`,
      ratio: most / used,
      bar: 1,
    },
  ];
}

async function secondsToSample(prefix: readonly string[]): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-bench-start-"));
  try {
    const [program = "", ...rest] = [...prefix, process.execPath, script, folder];
    const begun = performance.now();
    const child = spawn(program, rest, { stdio: ["ignore", "inherit", "inherit"] });
    const [code] = (await once(child, "close")) as [number | null];
    if (code !== 0) throw new Error(`the run ended with ${code} before its model had answered`);
    return (performance.now() - begun) / 1000;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
