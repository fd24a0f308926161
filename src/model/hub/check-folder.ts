import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, userError, WhetstoneError } from "../../foundation/base/index.ts";
import { holdsWeights } from "../engine/index.ts";
import { namedModels } from "./catalogue.ts";
import { noSuchModel, storedModels } from "./store.ts";

export interface CheckedFolder {
  readonly hasWeights: boolean;
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Looks whether a folder holds a model, and whether there are weights. `given` is how the person named it. Throws user errors
 * `model-missing`, `config-missing`, `config-invalid` and `weights-missing`.
 */
export async function checkFolder(folder: string, given: string): Promise<CheckedFolder> {
  const names = await filesOf(folder, given);
  const config = await readConfig(folder, names);
  return { hasWeights: holdsWeights(folder, names), config };
}

async function filesOf(folder: string, given: string): Promise<readonly string[]> {
  const isFolder = await stat(folder).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (isFolder) return await readdir(folder);
  const isPath = /[/\\]/.test(given);
  const known = [...namedModels, ...storedModels()].map(({ name }) => name);
  throw isPath
    ? userError(
        "model-missing",
        `There is no folder ${folder}. A model is tiny({ … }), a name (${[...new Set(known)].join(", ")}), or the path of a Hugging Face folder or GGUF file.`,
        { path: folder },
      )
    : noSuchModel(given);
}

async function readConfig(folder: string, names: readonly string[]): Promise<CheckedFolder["config"]> {
  const path = join(folder, "config.json");
  if (!names.includes("config.json")) {
    const gguf = names.find((name) => name.endsWith(".gguf"));
    throw userError(
      "config-missing",
      `${folder} has no config.json: it is not a model's folder.${gguf === undefined ? "" : ` Name the GGUF file in it instead: ${join(folder, gguf)}.`}`,
      { path },
    );
  }
  try {
    const config: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof config === "object" && config !== null) return config as CheckedFolder["config"];
    throw new TypeError("it holds no object");
  } catch (error) {
    throw new WhetstoneError({
      code: "config-invalid",
      category: "user",
      message: `${path} is not JSON (${messageOf(error)}); download it again, or mend it.`,
      cause: error,
    });
  }
}
