import { basename, resolve } from "node:path";
import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { ModelDefinition } from "../engine/index.ts";
import { loadTokenizer } from "../text/index.ts";
import { checkFolder } from "./check-folder.ts";
import { storedFromFile } from "./import-model.ts";

/**
 * A model in a Hugging Face folder, or in a GGUF file: that one is converted once, into the store of models in the cache.
 * Without weights in a folder engines draw them from a seed. Relative paths begin at the run's project folder. Preparing it
 * throws user errors `model-missing`, `config-missing`, `config-invalid`, `weights-missing`,
 * `tokenizer-missing` and `tokenizer-invalid`, and for a file `gguf-invalid`, `gguf-truncated` and `gguf-unsupported`; what
 * only an engine can judge it names when it loads.
 *
 * @example
 * fromFolder("./my-model");
 * fromFolder("./my-model.Q4_K_M.gguf");
 */
export function fromFolder(path: string): ModelDefinition {
  const given = readOptions("fromFolder()", z.string().min(1), path);
  return {
    name: basename(given),
    description: { path: given },
    prepare: async (_folder, { characters, projectFolder, onProgress, signal }) => {
      let folder = resolve(projectFolder, given);
      if (isGgufPath(given))
        ({ folder } = await storedFromFile(folder, {
          ...(onProgress ? { onProgress } : {}),
          ...(signal ? { signal } : {}),
        }));
      const { hasWeights } = await checkFolder(folder, given);
      const tokenizer = await loadTokenizer(folder);
      tokenizer.encode(characters);
      return { tokenizer, path: folder, fromScratch: !hasWeights };
    },
  };
}

export function isGgufPath(path: string): boolean {
  return /\.gguf$/i.test(path);
}
