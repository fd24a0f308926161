import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, userError, WhetstoneError } from "../../foundation/base/index.ts";
import { namedModels } from "./catalogue.ts";
import { noSuchModel, storedModels } from "./store.ts";

/** Weights in formats that no engine here reads. */
const otherWeights = /\.(bin|pt|pth|h5|msgpack|onnx|npz)$/;

/**
 * Looks whether a folder holds a model, and whether there are weights. `given` is how the person named it. Throws user errors
 * `model-missing`, `config-missing`, `config-invalid` and `weights-missing`.
 */
export async function checkFolder(folder: string, given: string): Promise<{ readonly hasWeights: boolean }> {
  const names = await filesOf(folder, given);
  await checkConfig(folder, names);
  return { hasWeights: holdsWeights(folder, names) };
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

async function checkConfig(folder: string, names: readonly string[]): Promise<void> {
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
    JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new WhetstoneError({
      code: "config-invalid",
      category: "user",
      message: `${path} is not JSON (${messageOf(error)}); download it again, or mend it.`,
      cause: error,
    });
  }
}

/** Whether there are weights to load. A folder whose weights cannot be read is never taken for one that has none. */
function holdsWeights(folder: string, names: readonly string[]): boolean {
  if (names.some((name) => name.endsWith(".safetensors") || name.endsWith(".safetensors.index.json")))
    return true;
  const gguf = names.find((name) => name.endsWith(".gguf"));
  if (gguf !== undefined)
    throw userError(
      "weights-missing",
      `${folder} has its weights in a GGUF file: name that one instead of the folder, ${join(folder, gguf)}.`,
      { path: join(folder, gguf) },
    );
  const other = names.find((name) => otherWeights.test(name));
  if (other === undefined) return false;
  throw userError(
    "weights-missing",
    `${folder} has its weights in ${other}, and only safetensors are read: load it once with Python's transformers and ` +
      "save it with save_pretrained(…).",
    { path: join(folder, other) },
  );
}
