import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { messageOf, readOptions, userError, WhetstoneError } from "../../foundation/base/index.ts";
import { loadTokenizer } from "../text/index.ts";
import { maxPositionsOf } from "./max-positions.ts";
import type { ModelDefinition } from "./model-definition.ts";

/** Weights in formats that no engine here reads. */
const otherWeights = /\.(bin|pt|pth|gguf|h5|msgpack|onnx|npz)$/;

/**
 * A model in a Hugging Face folder. Without weights in it, engines draw them from a seed. Relative paths begin at the
 * run's project folder. Preparing it throws user errors `model-missing`, `config-missing`, `config-invalid`,
 * `weights-missing`, `tokenizer-missing`, `tokenizer-invalid`, `chat-template-invalid`, and `no-chat-template` where the task's
 * items are conversations; what only an engine can judge it names when it loads.
 *
 * @example
 * fromFolder("./my-model")
 */
export function fromFolder(path: string): ModelDefinition {
  const given = readOptions("fromFolder()", z.string().min(1), path);
  return {
    name: basename(given),
    description: { path: given },
    prepare: async (_folder, { characters, conversations = false, projectFolder }) => {
      const folder = resolve(projectFolder, given);
      const names = await filesOf(folder, given);
      const maxPositions = maxPositionsOf(await readConfig(folder, names));
      const tokenizer = await loadTokenizer(folder);
      tokenizer.encode(characters);
      if (conversations && tokenizer.chat === undefined) throw noChatTemplate(folder);
      return {
        tokenizer,
        path: folder,
        fromScratch: !holdsWeights(folder, names),
        ...(maxPositions === undefined ? {} : { maxPositions }),
      };
    },
  };
}

async function filesOf(folder: string, given: string): Promise<readonly string[]> {
  const isFolder = await stat(folder).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (isFolder) return await readdir(folder);
  throw userError(
    "model-missing",
    `There is no folder ${folder}. A model is tiny({ … }) or the path of a Hugging Face folder` +
      (given.includes("/") ? "." : `; "${given}" is not downloaded for you: put it there, or give its path.`),
    { path: folder },
  );
}

async function readConfig(folder: string, names: readonly string[]): Promise<Record<string, unknown>> {
  const path = join(folder, "config.json");
  if (!names.includes("config.json"))
    throw userError("config-missing", `${folder} has no config.json: it is not a model's folder.`, { path });
  try {
    const config: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof config === "object" && config !== null) return config as Record<string, unknown>;
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

function noChatTemplate(folder: string): WhetstoneError {
  return userError(
    "no-chat-template",
    `The task's items are conversations, and ${folder} has no chat template that says how the model reads them: take its ` +
      "instruction-tuned sibling, put the chat_template.jinja that was published with it into the folder, or give items as " +
      "prompt and answer, which need none.",
    { path: folder },
  );
}

/** Whether there are weights to load. A folder whose weights cannot be read is never taken for one that has none. */
function holdsWeights(folder: string, names: readonly string[]): boolean {
  if (names.some((name) => name.endsWith(".safetensors") || name.endsWith(".safetensors.index.json")))
    return true;
  const other = names.find((name) => otherWeights.test(name));
  if (other === undefined) return false;
  throw userError(
    "weights-missing",
    `${folder} has its weights in ${other}, and only safetensors are read: load it once with Python's transformers and ` +
      "save it with save_pretrained(…).",
    { path: join(folder, other) },
  );
}
