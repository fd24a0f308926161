import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf, syncFolder, userError, WhetstoneError } from "../../foundation/base/index.ts";

export type FolderFiles = Readonly<Record<string, string | Uint8Array>>;

let written = 0;

/**
 * Writes a folder under a temporary name, syncs it and renames it, so that a folder that exists is whole; returns its
 * bytes. Throws `save-exists`, `no-space` and `file-unreadable`, and leaves nothing half-written behind.
 */
export function writeFolder(path: string, files: FolderFiles): number {
  if (existsSync(path)) throw saveExists(path);
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${++written}.writing`);
  try {
    mkdirSync(temporary, { recursive: true });
    let bytes = 0;
    for (const [name, content] of Object.entries(files)) {
      const data = typeof content === "string" ? Buffer.from(content) : content;
      writeFileSync(join(temporary, name), data, { flush: true });
      bytes += data.length;
    }
    syncFolder(temporary);
    renameSync(temporary, path);
    syncFolder(dirname(path));
    return bytes;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw nameOf(error, path);
  }
}

function saveExists(path: string): WhetstoneError {
  return userError("save-exists", `${path} exists already; remove it, or save under another name.`, { path });
}

function nameOf(error: unknown, path: string): WhetstoneError {
  const { code = "" } = error as NodeJS.ErrnoException;
  // Somebody else was faster: a folder is only ever renamed onto an empty one.
  if (["EEXIST", "ENOTEMPTY"].includes(code)) return saveExists(path);
  const full = ["ENOSPC", "EDQUOT", "EFBIG"].includes(code);
  return new WhetstoneError({
    code: full ? "no-space" : "file-unreadable",
    category: "environment",
    message: full
      ? `The disk of ${path} is full: free some space and run it again.`
      : `Cannot write ${path}: ${messageOf(error)}.`,
    details: { path },
    cause: error,
  });
}
