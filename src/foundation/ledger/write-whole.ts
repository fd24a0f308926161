import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes a file under a temporary name, syncs it and renames it, so that a file that exists is whole, after a death or a power cut
 * too. Throws what the file system says, and leaves nothing half-written behind.
 */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.writing`;
  try {
    writeFileSync(temporary, text, { flush: true });
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** A rename is durable once its folder is. */
function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
