import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileReason, WhetstoneError } from "./errors.ts";

/**
 * Writes a file that is whole where it exists, also where the disk is full or two write it at once. Throws `file-unwritable` and
 * `no-space`.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  try {
    writeWholeSync(path, text);
  } catch (error) {
    throw fileFault(error, path);
  }
}

/** Says why a file cannot be written. */
export function fileFault(error: unknown, path: string): WhetstoneError {
  const { code = "" } = error as NodeJS.ErrnoException;
  const full = ["ENOSPC", "EDQUOT", "EFBIG"].includes(code);
  return new WhetstoneError({
    code: full ? "no-space" : "file-unwritable",
    category: full ? "environment" : "user",
    message: full
      ? `No space is left on the disk of ${path}: free some and run the same command again.`
      : `Cannot write ${path} (${fileReason(error)}): choose a file in a folder that is there and yours.`,
    details: { path },
    cause: error,
  });
}

/**
 * Writes a file under a temporary name, syncs it and renames it, so that a file that exists is whole, after a death or a power cut
 * too. Throws what the file system says, and leaves nothing half-written behind.
 */
export function writeWholeSync(path: string, text: string): void {
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
export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
