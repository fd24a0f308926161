import { rename, rm, writeFile } from "node:fs/promises";
import { messageOf, WhetstoneError } from "./errors.ts";

/**
 * Writes a file that is whole where it exists, also where the disk is full or two write it at once. Throws `file-unwritable` and
 * `no-space`.
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.writing`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
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
      : `Cannot write ${path} (${messageOf(error)}): choose a file in a folder that is there and yours.`,
    details: { path },
    cause: error,
  });
}
