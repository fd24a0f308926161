import { mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { existingFolder, messageOf } from "../../../foundation/base/index.ts";
import { type Check, fail, ok, warn } from "./check.ts";

/** Every process of the engine takes about 450 MB, this one 200. */
const leastMemory = 1e9;
const easyMemory = 2e9;

export function nodeCheck(version = process.versions.node): Check {
  return ok("Node", version);
}

export function coresCheck(cores = availableParallelism()): Check {
  const found = cores === 1 ? "1" : String(cores);
  return cores > 1
    ? ok("cores", found)
    : warn("cores", found, "Peers train one after the other; two cores train two at once.");
}

export function memoryCheck(bytes = totalmem()): Check {
  const found = `${(bytes / 1e9).toFixed(1)} GB`;
  if (bytes < leastMemory)
    return fail("memory", found, "The local engine needs about 1 GB: use a machine with more.");
  if (bytes < easyMemory)
    return warn("memory", found, "Enough for one small model at a time; close what else runs.");
  return ok("memory", found);
}

/** Whether files can be made in a folder, or in the first one above it that is there. */
export async function writableCheck(name: string, folder: string, advice: string): Promise<Check> {
  const there = await existingFolder(folder);
  try {
    const probe = await mkdtemp(join(there, ".whetstone-doctor-"));
    try {
      await writeFile(join(probe, "probe"), "probe");
    } finally {
      await rm(probe, { recursive: true, force: true });
    }
    return ok(name, folder);
  } catch (error) {
    return fail(name, `${folder}: ${messageOf(error)}`, advice);
  }
}

/** Room on the disk of a folder, against what is needed and what is comfortable there. */
export async function roomCheck(
  name: string,
  folder: string,
  needs: { readonly least: number; readonly easy: number; readonly what: string },
): Promise<Check> {
  const there = await existingFolder(folder);
  const { bavail, bsize } = await statfs(there);
  const free = bavail * bsize;
  const found = `${(free / 1e9).toFixed(1)} GB free on the disk of ${there}`;
  const advice = `${needs.what}; free some space there.`;
  if (free < needs.least) return fail(name, found, advice);
  return free < needs.easy ? warn(name, found, advice) : ok(name, found);
}
