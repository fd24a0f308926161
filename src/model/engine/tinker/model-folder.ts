import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { messageOf, userError } from "../../../foundation/base/index.ts";
import type { ModelInfo } from "../../../foundation/contract/index.ts";
import { estimateParameters } from "../estimate-parameters.ts";
import { maxPositionsOf } from "../max-positions.ts";

const configSchema = z.looseObject({ vocab_size: z.int().min(1) });

/** Of a server that tells nothing: then it is the server that looks at the ids. */
export const unknownModel: Omit<ModelInfo, "step"> = {
  parameters: 0,
  vocabularySize: Number.MAX_SAFE_INTEGER,
};

/** What a model's folder says of it. Throws a user error `config-missing`. */
export function readConfig(folder: string): Omit<ModelInfo, "step"> {
  const path = join(folder, "config.json");
  let config: z.output<typeof configSchema>;
  try {
    config = configSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw userError(
      "config-missing",
      `${path} is needed here too, with the tokenizer; the weights may be missing (${messageOf(error)}).`,
      { path },
    );
  }
  const maxPositions = maxPositionsOf(config);
  return {
    parameters: estimateParameters(config),
    vocabularySize: config.vocab_size,
    ...(maxPositions === undefined ? {} : { maxPositions }),
  };
}

/** What the folder says of its model, and nothing where a model is called by its name and has no folder here. */
export function toldBy(folder: string): Omit<ModelInfo, "step"> {
  return existsSync(join(folder, "config.json")) ? readConfig(folder) : unknownModel;
}
