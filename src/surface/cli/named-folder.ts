import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type EngineProgress, holdsAdapters } from "../../model/engine/index.ts";
import { modelCalled } from "../../model/hub/index.ts";

/** `NAME=FOLDER`, cut at the first sign; without one all of it is the name. */
export function nameAndFolder(text: string): readonly [name: string, folder: string | undefined] {
  const cut = text.indexOf("=");
  return cut < 0 ? [text, undefined] : [text.slice(0, cut), text.slice(cut + 1)];
}

export interface Bringing {
  readonly onProgress: EngineProgress;
  readonly signal: AbortSignal;
}

/**
 * The folder of a model that a command line names: a folder, a GGUF file, a name of `whetstone model list`, or adapters, which are put
 * together with their base in `into`. A folder may be without a tokenizer. Throws what preparing a model throws.
 */
export async function modelFolder(asked: string, into: string, bringing: Bringing): Promise<string> {
  if (existsSync(join(asked, "config.json")) && !holdsAdapters(asked)) return resolve(asked);
  const needs = { characters: "", projectFolder: process.cwd(), ...bringing };
  return (await modelCalled(asked).prepare(into, needs)).path;
}
