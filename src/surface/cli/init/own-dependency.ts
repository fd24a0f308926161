import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { ownFolder } from "../../../foundation/base/index.ts";
import { besides } from "./read-answers.ts";

/** Where the registry keeps a version of a package. */
const registryFile = /^https?:\/\/.*\/-\/whetstone-[^/]+\.tgz$/;

/**
 * What a package.json in a folder depends on to get the copy of whetstone that runs: its version where npm's registry gave it,
 * the file that it was installed from, or the checkout that it is. Undefined where none of these is known, as of a global
 * installation: npm keeps no record of those.
 */
export function ownDependency(folder: string, own = ownFolder): string | undefined {
  const modules = dirname(own);
  if (basename(modules) !== "node_modules") return `file:${besides(folder, own)}`;
  const record = recordOf(join(modules, ".package-lock.json"));
  if (record?.version === undefined) return undefined;
  const { version, resolved } = record;
  // npm leaves out what the registry gave where it is told to (omit-lockfile-registry-resolved).
  if (resolved === undefined || registryFile.test(resolved)) return version;
  if (!resolved.startsWith("file:")) return resolved;
  const file = resolve(dirname(modules), resolved.slice("file:".length));
  return existsSync(file) && statSync(file).isFile() ? `file:${besides(folder, file)}` : undefined;
}

interface InstallRecord {
  readonly version?: string;
  readonly resolved?: string;
}

/** What npm wrote down of the package when it installed it. */
function recordOf(path: string): InstallRecord | undefined {
  try {
    const { packages } = JSON.parse(readFileSync(path, "utf8")) as {
      readonly packages: Readonly<Record<string, InstallRecord>>;
    };
    return packages["node_modules/whetstone"];
  } catch {
    return undefined;
  }
}
