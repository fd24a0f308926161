import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isWhetstoneError, messageOf, userError } from "../../foundation/base/index.ts";
import { defineRun, isRunDefinition, type RunConfig, type RunDefinition } from "../../loop/run.ts";

export const configName = "whetstone.config.ts";
const names = [configName, "whetstone.config.js", "whetstone.config.mjs"];

export interface LoadedConfig {
  readonly definition: RunDefinition;
  /** The project folder: where the config lies. */
  readonly folder: string;
  readonly path: string;
}

/** Where a config or its folder leads; throws a user error `config-missing`. */
export function findConfig(given: string): { readonly folder: string; readonly path: string } {
  const target = resolve(given);
  if (existsSync(target) && statSync(target).isFile()) return { folder: dirname(target), path: target };
  for (const name of names) {
    const path = join(target, name);
    if (existsSync(path)) return { folder: target, path };
  }
  const where = existsSync(target) ? `${given === "." ? "This folder" : given} has no ${configName}` : `${given} does not exist`;
  throw userError("config-missing", `${where}: write one with \`whetstone init\`, or name a folder that has one.`);
}

/** Loads a typed config; Node itself strips the types. Throws user errors `config-missing`, `config-invalid`, `invalid-option`. */
export async function loadConfig(given: string): Promise<LoadedConfig> {
  const { folder, path } = findConfig(given);
  let value: unknown;
  try {
    const loaded = (await import(pathToFileURL(path).href)) as { default?: unknown };
    value = loaded.default;
  } catch (error) {
    if (isWhetstoneError(error)) throw error;
    throw userError("config-invalid", `${basename(path)} cannot be loaded: ${explain(error)}`, { path });
  }
  if (isRunDefinition(value)) return { definition: value, folder, path };
  if (typeof value !== "object" || value === null)
    throw userError("config-invalid", `${basename(path)} exports no run: end it with \`export default defineRun({ … })\`.`, { path });
  return { definition: defineRun(value as RunConfig), folder, path };
}

function explain(error: unknown): string {
  const message = messageOf(error).replace(/\s+/g, " ").trim();
  if (error instanceof SyntaxError || (error as { code?: string }).code === "ERR_INVALID_TYPESCRIPT_SYNTAX") {
    const place = error instanceof Error ? /:(\d+)\n/.exec(error.stack ?? "")?.[1] : undefined;
    return `it does not compile${place === undefined ? "" : `, line ${place}`}: ${message}`;
  }
  if (/Cannot find package 'whetstone'/.test(message))
    return "it imports \"whetstone\", which is not installed there: run `npm install whetstone` in its folder.";
  return message;
}
