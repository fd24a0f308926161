import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { userError } from "../../../foundation/base/index.ts";
import { type FolderFiles, writeFolder } from "../write-folder.ts";
import { readJson } from "./model-folder.ts";
import { freshOptimizer, type OptimizerState } from "./optimizer.ts";
import { PrefixIndex } from "./prefix-index.ts";
import { readTensors, writeTensors } from "./safetensors.ts";
import { Table, type TableOptions } from "./table.ts";

/** Files of a model's folder that every checkpoint of it has too, so that it is a model's folder itself. */
const copied = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"];
const tableFile = "table.safetensors";
const optimizerFile = "optimizer.safetensors";
const factsFile = "whetstone.json";

const count = z.number().int().min(0);
const factsSchema = z.looseObject({
  format: z.literal(1),
  engine: z.literal("tabular"),
  step: count,
  momentSteps: count,
  horizon: count,
  backOff: count,
  seed: count,
  deviation: z.number().min(0),
  decay: z.number(),
});

export interface CheckpointState {
  readonly table: Table;
  readonly step: number;
  readonly optimizer: Readonly<OptimizerState>;
  /** False leaves the moments out of the checkpoint; how many steps moved them is told nevertheless. */
  readonly keepOptimizer: boolean;
}

export function holdsTable(folder: string): boolean {
  return existsSync(join(folder, tableFile));
}

/** Writes a checkpoint folder; returns its bytes. Throws what {@link writeFolder} throws. */
export function writeCheckpoint(
  path: string,
  { table, step, optimizer, keepOptimizer, files: copies }: CheckpointState & { readonly files: FolderFiles },
): number {
  const { vocabulary, reach, seed, deviation } = table.options;
  const size = table.rows * vocabulary;
  const { parents, tokens, nodes } = table.index.toArrays();
  const facts: z.input<typeof factsSchema> = {
    format: 1,
    engine: "tabular",
    step,
    momentSteps: optimizer.steps,
    ...reach,
    seed,
    deviation,
    decay: table.decay,
  };
  const files: Record<string, string | Uint8Array> = {
    ...copies,
    [tableFile]: writeTensors({ parents, tokens, nodes, values: table.values.subarray(0, size) }),
    [factsFile]: `${JSON.stringify(facts)}\n`,
  };
  // Moments that no step has moved are zero.
  if (keepOptimizer && optimizer.steps > 0)
    files[optimizerFile] = writeTensors({
      first: optimizer.first.subarray(0, size),
      second: optimizer.second.subarray(0, size),
    });
  return writeFolder(path, files);
}

/** What checkpoints of a model have of its folder, read when it is made: the folder may be gone when they are written. */
export function filesOf(source: string): FolderFiles {
  const present = copied.filter((name) => existsSync(join(source, name)));
  return Object.fromEntries(present.map((name) => [name, readFileSync(join(source, name))]));
}

/**
 * Reads a checkpoint. Throws user errors `optimizer-missing` where the optimiser is wanted and was not saved,
 * `weights-truncated`, `weights-missing-tensor`, `weights-shape` and `config-invalid`.
 */
export function readCheckpoint(
  folder: string,
  { vocabulary, suppressed }: Pick<TableOptions, "vocabulary" | "suppressed">,
  withOptimizer: boolean,
): { readonly table: Table; readonly step: number; readonly optimizer: OptimizerState } {
  const facts = readJson(join(folder, factsFile), factsSchema);
  const { horizon, backOff, seed, deviation, decay, step, momentSteps } = facts;
  const path = join(folder, tableFile);
  const arrays = readTensors(path, { parents: "I32", tokens: "I32", nodes: "I32", values: "F64" });
  const [parents, tokens, nodes] = [arrays.parents, arrays.tokens, arrays.nodes] as Int32Array[] as [
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  if (arrays.values.length !== nodes.length * vocabulary)
    throw userError(
      "weights-shape",
      `${path} holds ${nodes.length} rows in ${arrays.values.length} numbers, but config.json says ${vocabulary} a row.`,
    );
  const reach = { horizon, backOff };
  const table = new Table(
    { vocabulary, reach, seed, deviation, suppressed },
    {
      index: PrefixIndex.fromArrays(vocabulary, reach, { parents, tokens, nodes }),
      values: arrays.values as Float64Array,
      rows: nodes.length,
      decay,
    },
  );
  return { table, step, optimizer: withOptimizer ? readOptimizer(folder, momentSteps) : freshOptimizer() };
}

function readOptimizer(folder: string, steps: number): OptimizerState {
  const path = join(folder, optimizerFile);
  if (steps === 0) return freshOptimizer();
  if (!existsSync(path))
    throw userError("optimizer-missing", `${path} does not exist: it was saved without its optimiser.`, {
      path,
    });
  const { first, second } = readTensors(path, { first: "F64", second: "F64" });
  return { first: first as Float64Array, second: second as Float64Array, steps };
}
