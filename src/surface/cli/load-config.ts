import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { isWhetstoneError, userError } from "../../foundation/base/index.ts";
import {
  defineRun,
  isParametrisedRun,
  isRunDefinition,
  type ParameterKinds,
  type ParametrisedRun,
  type RunConfig,
  type RunDefinition,
} from "../../loop/run.ts";
import { configFault } from "./config-fault.ts";
import { type FoundConfig, findConfig } from "./find-config.ts";
import {
  type GivenParameters,
  kebab,
  refuseAll,
  runFlags,
  unknownFlag,
  valuesFor,
} from "./given-parameters.ts";
import { lendOwnPackage } from "./own-package.ts";

export interface LoadedConfig extends FoundConfig {
  readonly definition: RunDefinition;
}

/**
 * Loads a typed config, whose types Node itself strips, with the values for its parameters. Throws user errors
 * `config-missing`, `config-invalid`, `unknown-flag`, `invalid-parameter` and `invalid-option`.
 */
export async function loadConfig(given: string, parameters: GivenParameters): Promise<LoadedConfig> {
  const found = locate(given, parameters);
  const value = await exported(found);
  if (!isParametrisedRun(value)) refuseAll(parameters);
  const definition = await naming(found, () => define(value, parameters, found));
  return { ...found, definition };
}

/** The parameters of a config; empty where it has none. Throws as {@link loadConfig} does. */
export async function parametersOf(given: string): Promise<ParameterKinds> {
  const value = await exported(findConfig(given));
  return isParametrisedRun(value) ? value.kinds : {};
}

/** A mistyped flag may have swallowed the folder's name; then the flag is what is wrong. */
function locate(given: string, parameters: GivenParameters): FoundConfig {
  try {
    return findConfig(given);
  } catch (error) {
    const [name] = parameters.keys();
    throw name === undefined ? error : unknownFlag(name, []);
  }
}

async function exported(found: FoundConfig): Promise<unknown> {
  lendOwnPackage();
  const module = await naming(found, () => import(pathToFileURL(found.path).href));
  const value = (module as { readonly default?: unknown }).default;
  if (typeof value === "object" && value !== null) return value;
  throw userError(
    "config-invalid",
    `${basename(found.path)} exports no run: end it with \`export default defineRun({ … })\`.`,
    { path: found.path },
  );
}

function define(value: unknown, parameters: GivenParameters, { path }: FoundConfig): RunDefinition {
  if (isRunDefinition(value)) return value;
  if (!isParametrisedRun(value)) return defineRun(value as RunConfig);
  const definition = (value as ParametrisedRun).define(valuesFor(parameters, namesOf(value, path)));
  if (isRunDefinition(definition)) return definition;
  throw userError(
    "config-invalid",
    `${basename(path)}: the function of withParameters() must return defineRun({ … }).`,
    { path },
  );
}

function namesOf({ kinds }: ParametrisedRun, path: string): readonly string[] {
  const taken = Object.keys(kinds).find((name) => runFlags.some((flag) => flag === kebab(name)));
  if (taken === undefined) return Object.keys(kinds);
  throw userError(
    "config-invalid",
    `${basename(path)}: a parameter cannot be called "${taken}", which is a flag of the command.`,
    { path },
  );
}

/** What a config throws is a sentence about the config. */
async function naming<T>(found: FoundConfig, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isWhetstoneError(error) ? error : await configFault(error, found.path);
  }
}
