import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { join } from "node:path";
import { makeFolder, noSpace } from "./cache-folder.ts";
import type { MemoryShare } from "./worker.ts";

/** What else runs here needs some, and what is found anew differs by what the kernel keeps for itself. */
const ours = 0.9;
const sameMachine = 1 / 8;
const gibibyte = 2 ** 30;
/** More at once makes passes no faster. */
const mostPassBytes = 2.25 * gibibyte;

/** All memory that this process may have, whoever else uses it now: the machine's, or the limit of the process's group. */
function memoryOf(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(totalmem(), limit) : totalmem();
}

/**
 * Bytes of memory that were found on this machine when the engine was first opened: passes are cut by them, so that the same
 * calls give the same weights whatever else goes on. Found anew only where the machine is another.
 */
export async function recordedMemory(cacheFolder: string, found = memoryOf()): Promise<number> {
  const folder = await makeFolder(join(cacheFolder, "engine"));
  const path = join(folder, "machine.json");
  const known = await readFile(path, "utf8").then(parsed, () => undefined);
  if (known !== undefined && Math.abs(known - found) <= sameMachine * found) return known;
  const temporary = `${path}.${randomBytes(4).toString("hex")}`;
  try {
    await writeFile(temporary, `${JSON.stringify({ memoryBytes: found })}\n`);
    await rename(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw noSpace(path, error);
    throw error;
  }
  return found;
}

/** What one of so many workers that compute at once may take. */
export function shareOf(memoryBytes: number, sharers: number): MemoryShare {
  const memory = Math.floor((ours * memoryBytes) / sharers);
  return {
    memoryBytes: Math.max(memory, Math.min(2 * gibibyte, Math.floor(ours * memoryBytes))),
    passBytes: Math.min(mostPassBytes, Math.floor(memoryBytes / (8 * sharers))),
  };
}

function parsed(text: string): number | undefined {
  try {
    const { memoryBytes } = JSON.parse(text) as Record<string, unknown>;
    return typeof memoryBytes === "number" && memoryBytes > 0 ? memoryBytes : undefined;
  } catch {
    return undefined;
  }
}
