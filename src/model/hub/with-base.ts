import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  hashOf,
  isWhetstoneError,
  type Json,
  messageOf,
  sha256OfFiles,
  userError,
  type WhetstoneError,
} from "../../foundation/base/index.ts";
import { adapterConfigFile, type FolderFiles, type ModelNeeds, writeFolder } from "../engine/index.ts";
import { checkFolder } from "./check-folder.ts";
import { findBase } from "./find-base.ts";
import { indexFile, isModelFile, isTokenizerFile, isWeightsFile } from "./model-files.ts";

const adaptersFile = "adapter_model.safetensors";
/** Ours, of adapters that were trained here: whether their base was drawn, and what it held. */
const factsFile = "whetstone.json";

/**
 * Puts adapters, as `peft` writes them, together with the configuration and tokenizer of the base that they lie over, in a folder
 * of its own in `into`, which engines load and runs go on from; returns it. What was put together just so is found again.
 * Throws user errors `config-invalid`, `weights-missing`, `base-missing` and those of the base's folder, and what bringing a
 * base by its name throws.
 */
export async function withBase(folder: string, into: string, needs: ModelNeeds): Promise<string> {
  const { signal, onProgress } = needs;
  const config = await readAdapterConfig(folder);
  const names = await readdir(folder);
  if (!names.includes(adaptersFile)) throw noAdapters(folder, names);
  const { folder: base, name } = await findBase(folder, config.base_model_name_or_path, needs);
  onProgress?.(`adapters over ${name}`, 0, 1);
  const { hasWeights } = await checkFolder(base, base);
  if (!hasWeights && !names.includes(factsFile))
    throw userError(
      "weights-missing",
      `${base} is the base of the adapters in ${folder}, and has no weights.`,
      {
        path: base,
      },
    );
  const own = names.filter((file) => file === adaptersFile || file === factsFile || isTokenizerFile(file));
  const from = (await readdir(base)).filter(isWanted(own.includes("tokenizer.json")));
  const digest = hashOf({
    config,
    own: [
      ...own,
      await sha256OfFiles(
        own.map((file) => join(folder, file)),
        signal,
      ),
    ],
    base: [base, ...(await fingerprints(base))],
  });
  const path = join(into, `adapters-${digest.slice(0, 12)}`);
  if (existsSync(path)) return path;
  const files: Record<string, FolderFiles[string]> = {};
  for (const file of from) files[file] = await readFile(join(base, file));
  for (const file of own) files[file] = await readFile(join(folder, file));
  files[adapterConfigFile] = `${JSON.stringify({ ...config, base_model_name_or_path: base }, null, 2)}\n`;
  try {
    writeFolder(path, files);
  } catch (error) {
    // Another process was faster, with the same.
    if (!isWhetstoneError(error) || error.code !== "save-exists") throw error;
  }
  return path;
}

/** Of the base all that is small; a tokenizer that came with the adapters takes the place of the base's. */
const isWanted =
  (ownTokenizer: boolean) =>
  (file: string): boolean =>
    isModelFile(file) &&
    !isWeightsFile(file) &&
    file !== indexFile &&
    !(ownTokenizer && isTokenizerFile(file));

async function readAdapterConfig(folder: string): Promise<Readonly<Record<string, Json>>> {
  const path = join(folder, adapterConfigFile);
  try {
    const config: Json = JSON.parse(await readFile(path, "utf8"));
    if (typeof config === "object" && config !== null && !Array.isArray(config))
      return config as Readonly<Record<string, Json>>;
    throw new TypeError("it holds no object");
  } catch (error) {
    throw userError(
      "config-invalid",
      `${path} is not what peft writes (${messageOf(error)}): write it again.`,
      {
        path,
      },
    );
  }
}

function noAdapters(folder: string, names: readonly string[]): WhetstoneError {
  const other = names.find((name) => /^adapter_model\./.test(name));
  return userError(
    "weights-missing",
    other === undefined
      ? `${folder} has no ${adaptersFile} beside its ${adapterConfigFile}.`
      : `${folder} has its adapters in ${other}, and only safetensors are read: load it once with Python's peft and save it ` +
          "with save_pretrained(…).",
    { path: folder },
  );
}

/** Changes when the files do: other weights under the same path are another base. */
async function fingerprints(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter(isModelFile).sort();
  return await Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs } = await stat(resolve(folder, name));
      return `${name} ${size} ${mtimeMs}`;
    }),
  );
}
