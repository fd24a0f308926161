import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { userError, type WhetstoneError } from "../../foundation/base/index.ts";

/** The folder that was meant, given itself or its config. Throws a user error `folder-missing`. */
export function projectFolder(given: string): string {
  const target = resolve(given);
  if (!existsSync(target)) throw userError("folder-missing", `${given} does not exist.`, { path: target });
  return statSync(target).isFile() ? dirname(target) : target;
}

export function noRun(): WhetstoneError {
  return userError("no-run", "There is no run here yet: start one with `whetstone run`.");
}
