import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const adapterConfigFile = "adapter_config.json";

/** Whether a folder holds adapters as the library `peft` writes them, over a base that lies elsewhere. */
export function holdsAdapters(folder: string): boolean {
  return existsSync(join(folder, adapterConfigFile));
}

/** The rank of a folder's adapters, undefined where it holds none; 0 of a config that says none, which an engine then refuses. */
export function adapterRank(folder: string): number | undefined {
  if (!holdsAdapters(folder)) return undefined;
  const { r } = JSON.parse(readFileSync(join(folder, adapterConfigFile), "utf8")) as { readonly r?: unknown };
  return typeof r === "number" ? r : 0;
}
