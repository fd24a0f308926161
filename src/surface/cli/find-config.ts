import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { userError } from "../../foundation/base/index.ts";

export const configName = "whetstone.config.ts";
const names = [configName, "whetstone.config.mts", "whetstone.config.js", "whetstone.config.mjs"];

const isModule = /\.[cm]?[jt]s$/;

export interface FoundConfig {
  /** The project folder: where the config lies. */
  readonly folder: string;
  readonly path: string;
}

/** Where a config or its folder leads. Throws a user error `config-missing`. */
export function findConfig(given: string): FoundConfig {
  const target = resolve(given);
  if (existsSync(target) && statSync(target).isFile()) {
    if (isModule.test(given)) return { folder: dirname(target), path: target };
    throw userError(
      "config-missing",
      `${given} is a file, and no config: that is TypeScript or JavaScript.`,
      {
        path: target,
      },
    );
  }
  const found = configIn(target);
  if (found !== undefined) return { folder: target, path: found };
  const where = !existsSync(target)
    ? `There is no ${isModule.test(given) ? "file" : "folder"} ${given}`
    : `${given === "." ? "This folder" : given} has no ${configName}`;
  throw userError(
    "config-missing",
    `${where}: write a config with \`whetstone init\`, or name one, or a folder that has one.`,
    { path: target },
  );
}

/** The config of a folder, if it has one. */
export function configIn(folder: string): string | undefined {
  return names.map((name) => join(folder, name)).find((path) => existsSync(path));
}
