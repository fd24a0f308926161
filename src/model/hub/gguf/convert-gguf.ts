import { open } from "node:fs/promises";
import { join } from "node:path";
import type { EngineProgress } from "../../engine/index.ts";
import { architectureOf, configOf } from "./architecture.ts";
import { textOf } from "./metadata.ts";
import { quantisationName, quantisations } from "./quantisations.ts";
import { type Gguf, readGguf } from "./read-gguf.ts";
import { planTensors } from "./tensor-plan.ts";
import { tokenizerFiles } from "./tokenizer-files.ts";
import { type StoredPrecision, writeWeights } from "./write-weights.ts";

export interface ConvertOptions {
  /** The GGUF file. */
  readonly path: string;
  /** An empty folder; left half-filled when this throws. */
  readonly folder: string;
  readonly onProgress?: EngineProgress;
  readonly signal?: AbortSignal;
}

export interface Converted {
  readonly parameters: number;
  /** How most of its numbers were stored, such as Q4_1. */
  readonly quantisation: string;
  readonly licence: string | null;
}

/** Kinds of storage that bfloat16 would take something from. */
const exact = new Set(["F32", "F16"]);

/**
 * Writes a GGUF file's model as a Hugging Face folder: configuration, tokenizer with chat template, and plain weights, in 32
 * bits where the file's are not quantised and in bfloat16 otherwise. Throws user errors `gguf-missing`, `gguf-invalid`,
 * `gguf-truncated` and `gguf-unsupported` before anything is written.
 */
export async function convertGguf({ path, folder, onProgress, signal }: ConvertOptions): Promise<Converted> {
  const gguf = readGguf(path);
  const model = architectureOf(gguf);
  const tensors = planTensors(gguf, model);
  const { tokenizer, tokenizerConfig, generation, ids } = tokenizerFiles(gguf, model.maxPositions);
  const quantisation = mostUsed(gguf);
  const precision: StoredPrecision = exact.has(quantisation) ? "F32" : "BF16";
  const files = {
    "config.json": configOf(model, precision === "F32" ? "float32" : "bfloat16", ids),
    "generation_config.json": generation,
    "tokenizer.json": tokenizer,
    "tokenizer_config.json": tokenizerConfig,
  };
  for (const [name, value] of Object.entries(files))
    await writeText(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  await writeWeights({
    from: path,
    to: join(folder, "model.safetensors"),
    tensors,
    precision,
    ...(signal ? { signal } : {}),
    onProgress: (written, all) => onProgress?.("converting the weights", written, all),
  });
  const parameters = tensors.reduce((sum, { source }) => sum + numbersIn(source.shape), 0);
  return { parameters, quantisation, licence: textOf(gguf, "general.license") ?? null };
}

function mostUsed({ tensors }: Gguf): string {
  const used = new Map<number, number>();
  for (const { type, shape } of tensors.values()) used.set(type, (used.get(type) ?? 0) + numbersIn(shape));
  const [type] = [...used].reduce((most, one) => (one[1] > most[1] ? one : most), [0, 0]);
  return quantisations.get(type)?.name ?? quantisationName(type);
}

function numbersIn(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

async function writeText(path: string, text: string): Promise<void> {
  await using file = await open(path, "w");
  await file.writeFile(text);
  await file.sync();
}
