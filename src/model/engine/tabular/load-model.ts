import { existsSync } from "node:fs";
import { join } from "node:path";
import { userError } from "../../../foundation/base/index.ts";
import type { LoadOptions, ModelInfo } from "../../../foundation/contract/index.ts";
import { holdsTable, readCheckpoint } from "./checkpoint.ts";
import { readModelFolder } from "./model-folder.ts";
import { freshOptimizer } from "./optimizer.ts";
import type { Reach } from "./prefix-index.ts";
import { Table } from "./table.ts";
import type { TrainerState } from "./trainer.ts";

/** How new tables are made. */
export interface TableShape {
  readonly reach: Reach;
  readonly deviation: number;
}

export interface LoadedModel extends TrainerState {
  readonly info: ModelInfo;
  /** Where its configuration and tokenizer lie. */
  readonly folder: string;
}

/**
 * Reads what `save` wrote, or makes a table for a model's folder from its vocabulary and a seed. Throws user errors
 * `config-missing`, `config-invalid`, `unsupported-architecture` where the folder has a network's weights,
 * `unsupported-precision`, `unsupported-adapters`, `unsupported-checkpointing`, `weights-missing`, and what {@link readCheckpoint} throws.
 */
export function loadModel(
  folder: string,
  { source, precision = "fp32", lora, gradientCheckpointing }: LoadOptions,
  { reach, deviation }: TableShape,
): LoadedModel {
  if (precision !== "fp32")
    throw userError("unsupported-precision", `The tabular engine has no ${precision}; use "fp32".`);
  if (lora !== undefined)
    throw userError("unsupported-adapters", "A table has no layers for adapters to fit; leave lora out.");
  if (gradientCheckpointing === true)
    throw userError(
      "unsupported-checkpointing",
      "A table has no activations; leave gradientCheckpointing out.",
    );
  const { limits, maxPositions, suppressed } = readModelFolder(folder);
  const known = { vocabulary: limits.vocabulary, suppressed };
  const isCheckpoint = source.kind === "checkpoint";
  const stored = holdsTable(folder)
    ? readCheckpoint(folder, known, isCheckpoint && source.optimizer)
    : {
        table: new Table({ ...known, reach, deviation, seed: seedOf(folder, source) }),
        step: 0,
        optimizer: freshOptimizer(),
      };
  // A checkpoint that is taken for a new model's folder begins to count anew.
  const step = isCheckpoint ? stored.step : 0;
  const info: ModelInfo = {
    parameters: stored.table.rows * limits.vocabulary,
    vocabularySize: limits.vocabulary,
    step,
    ...(maxPositions === undefined ? {} : { maxPositions }),
  };
  return { ...stored, step, limits, info, folder };
}

function seedOf(folder: string, source: LoadOptions["source"]): number {
  for (const name of ["model.safetensors", "model.safetensors.index.json"])
    if (existsSync(join(folder, name)))
      throw userError(
        "unsupported-architecture",
        `${folder} holds a network's weights, and the tabular engine is a table: use local() for it.`,
        { path: join(folder, name) },
      );
  if (source.kind === "folder" && source.seed !== undefined) return source.seed;
  throw userError("weights-missing", `${folder} holds no table.safetensors, and no seed was given.`, {
    path: folder,
  });
}
