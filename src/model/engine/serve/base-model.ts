import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { messageOf, userError, WhetstoneError } from "../../../foundation/base/index.ts";
import type { ModelSource } from "../../../foundation/contract/index.ts";
import { loadTokenizer } from "../../text/index.ts";
import { adapterRank, holdsAdapters } from "../adapter-folder.ts";
import { holdsWeights } from "../holds-weights.ts";
import { maxPositionsOf } from "../max-positions.ts";

const configSchema = z.looseObject({
  architectures: z.array(z.string()).nullish(),
  model_type: z.string().nullish(),
  eos_token_id: z.union([z.int(), z.array(z.int())]).nullish(),
  /** Ours, in a folder without weights: what they are drawn from. */
  seed: z.int().min(0).nullish(),
});

/** A folder that is served under a name. */
export interface BaseModel {
  readonly name: string;
  readonly folder: string;
  /** The class of the Hugging Face config, where it names one. */
  readonly architecture: string | undefined;
  /** Longest sequence in tokens; undefined where nothing bounds it. */
  readonly maxPositions: number | undefined;
  readonly hasTokenizer: boolean;
  /** Without weights in it they are drawn from a seed: the one given, else the folder's, else 0. */
  source(seed?: number): ModelSource;
  /** Its weights are adapters over a base, of this rank; undefined where all weights are trained. */
  readonly adapterRank: number | undefined;
  /** Undefined where there is no tokenizer: then there are no stop strings. */
  tokenBytes(): Promise<readonly Uint8Array[] | undefined>;
  /** What ends a sample where the request says nothing. */
  stopTokens(): Promise<readonly number[]>;
}

/** Throws user errors `config-missing`, `config-invalid`, and `weights-missing` where there are some that no engine reads. */
export function baseModel(name: string, where: string): BaseModel {
  const folder = resolve(where);
  const config = readConfig(folder);
  const hasTokenizer = existsSync(join(folder, "tokenizer.json"));
  let loading: ReturnType<typeof loadTokenizer> | undefined;
  const tokenizer = () => {
    loading ??= loadTokenizer(folder);
    return loading;
  };
  const fromScratch = !holdsWeights(folder);
  return {
    name,
    folder,
    architecture: config.architectures?.[0] ?? config.model_type ?? undefined,
    maxPositions: maxPositionsOf(config),
    hasTokenizer,
    adapterRank: adapterRank(folder),
    source: (seed = config.seed ?? 0) => ({ kind: "folder", path: folder, ...(fromScratch ? { seed } : {}) }),
    tokenBytes: async () => (hasTokenizer ? (await tokenizer()).tokenBytes() : undefined),
    stopTokens: async () => {
      if (!hasTokenizer) return [config.eos_token_id ?? []].flat();
      const { endToken, stopTokens = [endToken] } = await tokenizer();
      return stopTokens;
    },
  };
}

function readConfig(folder: string): z.output<typeof configSchema> {
  const path = join(folder, "config.json");
  if (!existsSync(path))
    throw userError(
      "config-missing",
      holdsAdapters(folder)
        ? `${folder} holds adapters without their base's config.json: fromFolder("${folder}").prepare(…) makes a folder that has both.`
        : `${folder} has no config.json: it is not a model's folder.`,
      { path },
    );
  try {
    return configSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw new WhetstoneError({
      code: "config-invalid",
      category: "user",
      message: `${path} makes no model (${error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)}).`,
      details: { path },
      cause: error,
    });
  }
}
