import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { userError } from "../../foundation/base/index.ts";
import { adapterConfigFile, holdsAdapters, type ModelNeeds } from "../engine/index.ts";
import { namedModel, namedModels } from "./catalogue.ts";
import { plainName } from "./model-files.ts";
import { pullModel } from "./pull.ts";
import { type StoredModel, storedModel } from "./store.ts";

/** Where a base lies, and what it is called. */
export interface FoundBase {
  readonly folder: string;
  readonly name: string;
}

/**
 * The base that the config of adapters names: a folder, from the adapters' own place or else from the project's; or a model of
 * the store, by its name or its place on the model hub. One that this package can bring is brought. Throws a user error
 * `base-missing`, and what {@link pullModel} throws.
 */
export async function findBase(
  adapters: string,
  named: unknown,
  { projectFolder, onProgress, signal }: ModelNeeds,
): Promise<FoundBase> {
  const path = join(adapters, adapterConfigFile);
  if (typeof named !== "string" || named === "")
    throw userError(
      "base-missing",
      `${path} does not say which model its adapters are of: write its folder as "base_model_name_or_path".`,
      { path },
    );
  for (const from of [adapters, projectFolder]) {
    const folder = resolve(from, named);
    if (!existsSync(join(folder, "config.json"))) continue;
    if (!holdsAdapters(folder)) return { folder, name: named };
    throw userError(
      "base-missing",
      `${path} names ${folder} as its base, which holds adapters itself: merge those first, with PeftModel.merge_and_unload() of Python's peft.`,
      { path },
    );
  }
  const known = namedModels.find(({ repository, name }) => named === name || named === repository);
  const stored =
    known === undefined
      ? inStore(named)
      : await pullModel(known.name, { ...(onProgress ? { onProgress } : {}), ...(signal ? { signal } : {}) });
  if (stored !== undefined) return stored;
  throw userError(
    "base-missing",
    `${path} names "${named}" as its base, which is no folder here and no model of \`whetstone model list\`: bring the base's folder or ` +
      `GGUF file with \`whetstone model import PATH --name ${plainName(named)}\`, or write its path as "base_model_name_or_path".`,
    { path },
  );
}

/** By its name, or what an import of it would have been called. A name of the catalogue stands for that model only. */
function inStore(named: string): StoredModel | undefined {
  return [named, plainName(named)]
    .filter((name) => namedModel(name) === undefined && !/[/\\]/.test(name))
    .map((name) => storedModel(name))
    .find((model) => model !== undefined);
}
