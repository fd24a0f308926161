import { constants } from "node:fs";
import { copyFile, readdir, readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { isWhetstoneError, sha256OfFiles, userError } from "../../foundation/base/index.ts";
import { estimateParameters, fastArchitectures, holdsAdapters, plainArchitectures } from "../engine/index.ts";
import { loadTokenizer } from "../text/index.ts";
import { checkFolder } from "./check-folder.ts";
import { convertGguf } from "./gguf/convert-gguf.ts";
import { readGguf } from "./gguf/read-gguf.ts";
import { indexFile, isModelFile, isWeightsFile, plainName } from "./model-files.ts";
import {
  addModel,
  checkModelName,
  type Filled,
  type StoredModel,
  type StoreOptions,
  storedModel,
  storedModels,
} from "./store.ts";

export interface ImportOptions extends StoreOptions {
  /** What it is called from then on; default made from the file's or folder's own name. */
  readonly name?: string;
}

/**
 * Takes a GGUF file or a Hugging Face folder into the store, so that it can be asked for by its name. Throws user errors
 * `model-exists`, `invalid-model-name`, those of reading a GGUF file and those of a model's folder; `no-space`.
 */
export async function importModel(path: string, options: ImportOptions = {}): Promise<StoredModel> {
  const { environment = process.env, signal, onProgress } = options;
  const from = resolve(path);
  const name = checkModelName(options.name ?? plainName(from));
  const isFolder = await kindOf(from);
  const weights = isFolder ? (await checkedFiles(from)).filter(isWeightsFile).sort() : [""];
  // What is no model is not worth the reading of all of it.
  if (!isFolder) readGguf(from);
  onProgress?.(`reading ${basename(from)}`, 0, 1);
  const sha256 = await sha256OfFiles(
    weights.map((file) => join(from, file)),
    signal,
  );
  const there = storedModel(name, { environment });
  if (there?.sha256 === sha256) return there;
  if (there !== undefined)
    throw userError(
      "model-exists",
      `There is another model called ${name}: give this one a name of its own with --name, or \`whetstone model remove ${name}\` first.`,
      { name },
    );
  return await addModel(name, options, (folder) =>
    isFolder ? copyModel(from, folder, sha256, options) : convertFile(from, folder, sha256, options),
  );
}

/**
 * The model of a GGUF file that is given by its path, converted once: kept under a name that holds its digest. Throws what
 * {@link importModel} throws.
 */
export async function storedFromFile(path: string, options: StoreOptions = {}): Promise<StoredModel> {
  const { environment = process.env, signal } = options;
  const from = resolve(path);
  await kindOf(from);
  const { size, mtimeMs } = await stat(from);
  // A file that has not been touched since is not read again.
  const same = storedModels({ environment }).find(
    ({ source }) =>
      source.kind === "file" &&
      source.path === from &&
      source.bytes === size &&
      source.modifiedMs === mtimeMs,
  );
  if (same !== undefined) return same;
  readGguf(from);
  const sha256 = await sha256OfFiles([from], signal);
  const name = `${plainName(from).slice(0, 60)}-${sha256.slice(0, 12)}`;
  return await addModel(name, options, (folder) => convertFile(from, folder, sha256, options));
}

async function kindOf(path: string): Promise<boolean> {
  const entry = await stat(path).catch(() => undefined);
  if (entry === undefined) throw userError("model-missing", `There is no file or folder ${path}.`, { path });
  return entry.isDirectory();
}

async function checkedFiles(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter(isModelFile);
  if (holdsAdapters(folder))
    throw userError(
      "weights-missing",
      `${folder} holds adapters, and the store whole models: name the folder itself as a config's model, which finds their base.`,
      { path: folder },
    );
  const { hasWeights } = await checkFolder(folder, folder);
  if (!hasWeights)
    throw userError(
      "weights-missing",
      `${folder} has no weights (model.safetensors) to import; a model from scratch is named in the config by its path.`,
      { path: folder },
    );
  const path = join(folder, "config.json");
  const { model_type: kind } = JSON.parse(await readFile(path, "utf8")) as { readonly model_type?: unknown };
  if (![...fastArchitectures, ...plainArchitectures].some((supported) => supported === kind))
    throw userError(
      "unsupported-architecture",
      `${path} says model_type "${kind}", and those that can be trained here are ${fastArchitectures.join(", ")}, and more slowly ${plainArchitectures.join(", ")}.`,
      { path },
    );
  await checkWeights(folder, names);
  return names;
}

/** Every engine must find the weights in the copy, all of them: under the names that such files have. */
async function checkWeights(folder: string, names: readonly string[]): Promise<void> {
  if (names.includes("model.safetensors")) return;
  const refused = (reason: string) =>
    userError("weights-missing", `${folder} cannot be imported: ${reason}.`, { path: folder });
  if (!names.includes(indexFile))
    throw refused(
      `its weights are not in a file called model.safetensors, nor in several that a ${indexFile} names`,
    );
  const shards = shardsIn(await readFile(join(folder, indexFile), "utf8"));
  if (shards.length === 0) throw refused(`its ${indexFile} is no index of weights; download it again`);
  const absent = shards.find((shard) => !names.includes(shard));
  if (absent !== undefined)
    throw refused(
      `its ${indexFile} names ${absent}, which is not there or not called as such files are (model-00001-of-00002.safetensors)`,
    );
}

function shardsIn(index: string): readonly string[] {
  try {
    const { weight_map: places } = JSON.parse(index) as { readonly weight_map?: Record<string, unknown> };
    return [...new Set(Object.values(places ?? {}).map(String))];
  } catch {
    return [];
  }
}

async function copyModel(
  from: string,
  folder: string,
  sha256: string,
  { onProgress, signal }: StoreOptions,
): Promise<Filled> {
  const names = await checkedFiles(from);
  for (const [done, name] of names.entries()) {
    signal?.throwIfAborted();
    onProgress?.("copying the folder", done, names.length);
    await copyFile(join(from, name), join(folder, name), constants.COPYFILE_FICLONE);
  }
  await loadTokenizer(folder);
  const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
  const filled = { source: { kind: "folder", path: from }, quantisation: null, licence: null } as const;
  return { ...filled, sha256, parameters: estimateParameters(config) };
}

async function convertFile(
  path: string,
  folder: string,
  sha256: string,
  options: StoreOptions,
): Promise<Filled> {
  const { onProgress, signal } = options;
  const { size, mtimeMs } = await stat(path);
  const converted = await convertGguf({
    path,
    folder,
    ...(onProgress ? { onProgress } : {}),
    ...(signal ? { signal } : {}),
  });
  try {
    await loadTokenizer(folder);
  } catch (error) {
    if (!isWhetstoneError(error)) throw error;
    throw userError("gguf-invalid", `${path} has a tokenizer that cannot be used: ${error.message}`, {
      path,
    });
  }
  return { source: { kind: "file", path, bytes: size, modifiedMs: mtimeMs }, sha256, ...converted };
}
