import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { LoadOptions } from "../../../foundation/contract/index.ts";
import { estimateParameters } from "../estimate-parameters.ts";

/** Up to here one thread a model is faster than several: the matrices are too small to share. */
const smallParameters = 20_000_000;

/**
 * Whether a model shares the machine, one core each, or gets all of it. Judged before loading, from the config alone; a
 * folder that says nothing usable is left to a worker, whose error names what is wrong.
 */
export async function isSmall(folder: string): Promise<boolean> {
  try {
    return (
      estimateParameters(JSON.parse(await readFile(join(folder, "config.json"), "utf8"))) <= smallParameters
    );
  } catch {
    return true;
  }
}

export interface Place {
  /** The folder whose config says how large the model is. */
  readonly folder: string;
  /** What adapters lie over: those of one base belong on one worker. */
  readonly base?: string;
}

/** Where a model belongs, judged before loading: adapters with their base. */
export async function placeOf({ source, precision = "fp32", lora }: LoadOptions): Promise<Place> {
  const own = resolve(source.path);
  const found = await baseOf(own);
  if (found === undefined && lora === undefined) return { folder: own };
  const folder = resolve((source.kind === "checkpoint" ? source.base : undefined) ?? found?.folder ?? own);
  const seed = found === undefined && source.kind === "folder" ? source.seed : found?.seed;
  return { folder, base: `${folder}#${seed ?? ""} ${precision}` };
}

/** The base that a PEFT folder names; undefined where a folder is none, or says nothing usable. */
async function baseOf(
  folder: string,
): Promise<{ readonly folder: string; readonly seed: unknown } | undefined> {
  const read = async (name: string): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(join(folder, name), "utf8"));
  try {
    const { base_model_name_or_path: base } = await read("adapter_config.json");
    if (typeof base !== "string") return undefined;
    const facts = await read("whetstone.json").catch(() => ({}) as Record<string, unknown>);
    return { folder: resolve(folder, base), seed: (facts.base as Record<string, unknown> | undefined)?.seed };
  } catch {
    return undefined;
  }
}
