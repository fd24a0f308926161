import { readdirSync } from "node:fs";
import { join } from "node:path";
import { userError } from "../../foundation/base/index.ts";

/** Weights in formats that no engine here reads. */
const otherWeights = /\.(bin|pt|pth|h5|msgpack|onnx|npz)$/;

/**
 * Whether a model's folder has weights to load; without any they are drawn from a seed. A folder whose weights cannot be read is
 * never taken for one that has none: it throws a user error `weights-missing`.
 */
export function holdsWeights(folder: string, names: readonly string[] = readdirSync(folder)): boolean {
  if (names.some((name) => /\.safetensors(\.index\.json)?$/.test(name))) return true;
  const gguf = names.find((name) => /\.gguf$/i.test(name));
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
