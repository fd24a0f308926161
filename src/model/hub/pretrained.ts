import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { ModelDefinition } from "../engine/index.ts";
import { loadTokenizer } from "../text/index.ts";
import { namedModel } from "./catalogue.ts";
import { fromFolder, isGgufPath } from "./from-folder.ts";
import { pullModel } from "./pull.ts";
import { noSuchModel, storedModel } from "./store.ts";

/**
 * A trained model by its name: `smollm2-135m`, or one that `whetstone model import` has brought. Preparing it brings the
 * former here where it is not, and asks nothing of the network where it is. Throws user errors `invalid-option` and
 * `model-missing`; preparing it throws `model-unreachable` where it cannot be brought, and `text-not-in-vocabulary`.
 *
 * @example
 * pretrained("smollm2-135m");
 */
export function pretrained(name: string): ModelDefinition {
  const given = readOptions("pretrained()", z.string().min(1), name);
  const known = namedModel(given) !== undefined;
  const stored = known ? undefined : storedModel(given);
  if (!known && stored === undefined) throw noSuchModel(given);
  return {
    name: given,
    // A name of one's own says nothing of the weights that it stands for.
    description: { model: given, ...(stored === undefined ? {} : { sha256: stored.sha256 }) },
    prepare: async (_folder, { characters, onProgress, signal }) => {
      const { folder } = await pullModel(given, {
        ...(onProgress ? { onProgress } : {}),
        ...(signal ? { signal } : {}),
      });
      const tokenizer = await loadTokenizer(folder);
      tokenizer.encode(characters);
      return { tokenizer, path: folder, fromScratch: false };
    },
  };
}

/** What a text in the place of a model means: a name that is known, or else a path. */
export function modelCalled(text: string): ModelDefinition {
  const isName = !/[/\\]/.test(text) && !isGgufPath(text);
  return isName && (namedModel(text) !== undefined || storedModel(text) !== undefined)
    ? pretrained(text)
    : fromFolder(text);
}
