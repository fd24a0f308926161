import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { messageOf, userError } from "../../../foundation/base/index.ts";
import type { Engine } from "../../../foundation/contract/index.ts";
import { holdsAdapters } from "../adapter-folder.ts";
import { holdsWeights } from "../holds-weights.ts";
import type { ConformanceSubject } from "./subject.ts";

const configSchema = z.looseObject({ vocab_size: z.number().int().min(6) });
const generationSchema = z.looseObject({ suppress_tokens: z.array(z.number().int()).nullish() });

/**
 * An engine with the model of a Hugging Face folder, with weights in it or without. Throws a user error `config-invalid`
 * where the folder makes none, and `weights-missing` where it has weights that no engine reads.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "model-"));
 * const { path } = await tiny().prepare(folder, { characters: "0123456789=", projectFolder: folder });
 * await using engine = await tabular().open({ logFolder: folder });
 * const { vocabularySize } = await folderSubject(engine, path, { precision: "fp32" });
 */
export async function folderSubject(
  engine: Engine,
  folder: string,
  rest: Pick<ConformanceSubject, "precision" | "lora" | "another" | "reference"> = {},
): Promise<ConformanceSubject> {
  const modelFolder = resolve(folder);
  const { vocab_size: vocabularySize } = await read(modelFolder, "config.json", configSchema);
  const suppressed = existsSync(join(modelFolder, "generation_config.json"))
    ? (await read(modelFolder, "generation_config.json", generationSchema)).suppress_tokens
    : undefined;
  const never = new Set(suppressed ?? []);
  return {
    engine,
    modelFolder,
    vocabularySize,
    tokens: Array.from({ length: vocabularySize }, (_, id) => id).filter((id) => !never.has(id)),
    trained: holdsWeights(modelFolder),
    ...(holdsAdapters(modelFolder) ? { adapters: true } : {}),
    ...rest,
  };
}

async function read<S extends z.ZodType>(folder: string, name: string, schema: S): Promise<z.output<S>> {
  const path = join(folder, name);
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    const reason =
      error instanceof z.ZodError ? "a number or list that it needs is missing" : messageOf(error);
    throw userError("config-invalid", `${path} makes no model to check an engine with (${reason}).`, {
      path,
    });
  }
}
