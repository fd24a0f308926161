import { basename, resolve } from "node:path";
import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import { holdsAdapters, type ModelDefinition } from "../engine/index.ts";
import { storedFromFile } from "./import-model.ts";
import { readyFolder } from "./ready-folder.ts";
import { withBase } from "./with-base.ts";

/**
 * A model in a Hugging Face folder, or in a GGUF file: that one is converted once, into the store of models in the cache.
 * Without weights in a folder engines draw them from a seed. A folder of adapters, as Python's `peft` writes it, is the model
 * that they and their base make: they are what is trained. The base is looked for where their config says, from their folder or
 * the project's, then among the models of the store. Relative paths begin at the run's project folder. Preparing it
 * throws user errors `model-missing`, `config-missing`, `config-invalid`, `weights-missing`, `base-missing`, `tokenizer-missing`,
 * `tokenizer-invalid`, `chat-template-invalid`, `no-chat-template` where the task's items are conversations, and for a file `gguf-invalid`, `gguf-truncated` and `gguf-unsupported`; what
 * only an engine can judge it names when it loads.
 *
 * @example
 * fromFolder("./my-model");
 * fromFolder("./my-model.Q4_K_M.gguf");
 * fromFolder("./my-adapters"); // adapter_config.json says of which model
 */
export function fromFolder(path: string): ModelDefinition {
  const given = readOptions("fromFolder()", z.string().min(1), path);
  return {
    name: basename(given),
    description: { path: given },
    prepare: async (into, needs) => {
      const { projectFolder, onProgress, signal } = needs;
      let folder = resolve(projectFolder, given);
      if (isGgufPath(given))
        ({ folder } = await storedFromFile(folder, {
          ...(onProgress ? { onProgress } : {}),
          ...(signal ? { signal } : {}),
        }));
      if (holdsAdapters(folder)) folder = await withBase(folder, into, needs);
      return readyFolder(folder, given, needs);
    },
  };
}

export function isGgufPath(path: string): boolean {
  return /\.gguf$/i.test(path);
}
