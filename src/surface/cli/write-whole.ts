import { messageOf, WhetstoneError } from "../../foundation/base/index.ts";
import { writeWhole as write } from "../../foundation/ledger/index.ts";

/** Writes a file that is whole where it exists, also where the disk is full or two write it at once. */
export async function writeWhole(path: string, text: string): Promise<void> {
  try {
    write(path, text);
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
      : `Cannot write ${path} (${messageOf(error)}): choose a file in a folder that is there and yours.`,
    details: { path },
    cause: error,
  });
}
