import type { EngineProgress } from "../definition.ts";
import { local } from "./local.ts";
import { LocalEngine, type MergeOptions } from "./local-engine.ts";

export interface MergeRequest extends MergeOptions {
  /** Where the process that does it keeps its log. */
  readonly logFolder: string;
  readonly onProgress?: EngineProgress;
}

/**
 * Writes the model that adapters and their base make together, in a process that goes when it is done. Throws what
 * {@link LocalEngine.mergeAdapters} and opening the engine throw.
 */
export async function mergeAdapters({ logFolder, onProgress, ...options }: MergeRequest): Promise<void> {
  const definition = local({ workers: 1 });
  await using engine = await definition.open({ logFolder, ...(onProgress ? { onProgress } : {}) });
  if (engine instanceof LocalEngine) await engine.mergeAdapters(options);
}
