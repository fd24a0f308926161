import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { messageOf, userError, WhetstoneError } from "../../../foundation/base/index.ts";
import type { Limits } from "./limits.ts";

const count = z.number().int().min(1);
const configSchema = z.looseObject({
  vocab_size: count,
  max_position_embeddings: count.nullish(),
  position_embedding_type: z.string().nullish(),
});
const generationSchema = z.looseObject({
  suppress_tokens: z.array(z.number().int().min(0)).nullish(),
});

export interface ModelFolder {
  readonly limits: Limits;
  /** What the configuration says, whether or not it limits anything. */
  readonly maxPositions: number | undefined;
  readonly suppressed: readonly number[];
}

/** What a table needs of a model's folder. Throws user errors `config-missing` and `config-invalid`. */
export function readModelFolder(folder: string): ModelFolder {
  const path = join(folder, "config.json");
  if (!existsSync(path))
    throw userError("config-missing", `${folder} has no config.json: it is not a model's folder.`, { path });
  const config = readJson(path, configSchema);
  const generation = join(folder, "generation_config.json");
  const suppressed = existsSync(generation)
    ? readJson(generation, generationSchema).suppress_tokens
    : undefined;
  const maxPositions = config.max_position_embeddings ?? undefined;
  return {
    limits: {
      vocabulary: config.vocab_size,
      maxPositions: config.position_embedding_type === "none" ? undefined : maxPositions,
    },
    maxPositions,
    suppressed: (suppressed ?? []).filter((token) => token < config.vocab_size),
  };
}

/** Throws `config-invalid`. */
export function readJson<S extends z.ZodType>(path: string, schema: S): z.output<S> {
  try {
    return schema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    const reason = error instanceof z.ZodError ? issueOf(error) : messageOf(error);
    throw new WhetstoneError({
      code: "config-invalid",
      category: "user",
      message: `${path} makes no model (${reason}).`,
      details: { path },
      cause: error,
    });
  }
}

function issueOf({ issues: [issue] }: z.ZodError): string {
  return `"${issue?.path.join(".")}": ${issue?.message}`;
}
