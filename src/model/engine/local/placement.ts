import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { estimateParameters } from "../estimate-parameters.ts";

/** Up to here one thread a model is faster than several: the matrices are too small to share. */
const smallParameters = 20_000_000;

/**
 * Whether a model shares the machine, one core each, or gets all of it. Judged before loading, from the config alone; a
 * folder that says nothing usable is left to a worker, whose error names what is wrong.
 */
export async function isSmall(folder: string): Promise<boolean> {
  try {
    return (
      estimateParameters(JSON.parse(await readFile(join(folder, "config.json"), "utf8"))) <= smallParameters
    );
  } catch {
    return true;
  }
}
