import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { messageOf, WhetstoneError } from "../../../foundation/base/index.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where what can be made again is kept: `$WHETSTONE_CACHE`, `$XDG_CACHE_HOME/whetstone` or `~/.cache/whetstone`. */
export function cacheFolder(environment: Environment): string {
  const { WHETSTONE_CACHE: own, XDG_CACHE_HOME: shared } = environment;
  if (own !== undefined && own !== "") return resolve(own);
  // The XDG specification has relative paths ignored.
  if (shared !== undefined && isAbsolute(shared)) return join(shared, "whetstone");
  return join(environment.HOME || homedir(), ".cache", "whetstone");
}

/** Makes a folder of the cache. Throws `cache-unwritable` or `no-space`. */
export async function makeFolder(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true });
    return path;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw noSpace(path, error);
    throw new WhetstoneError({
      code: "cache-unwritable",
      category: "environment",
      message: `Cannot make the folder ${path} (${messageOf(error)}); set WHETSTONE_CACHE to a folder that can be written.`,
      cause: error,
    });
  }
}

export function noSpace(path: string, cause?: unknown): WhetstoneError {
  return new WhetstoneError({
    code: "no-space",
    category: "environment",
    message: `No space is left on the disk of ${path}; free some, or set WHETSTONE_CACHE to a folder on another disk.`,
    cause,
  });
}
