import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { userError } from "../../foundation/base/index.ts";

/** The folder that was meant, given itself or its config. Throws a user error `folder-missing`. */
export function projectFolder(given: string): string {
  const target = resolve(given);
  if (!existsSync(target)) throw userError("folder-missing", `${given} does not exist.`, { path: target });
  return statSync(target).isFile() ? dirname(target) : target;
}
