import type { ModelSource } from "../../foundation/contract/index.ts";

/** Which weights a source stands for: its path, and the seed that they are drawn from. */
export function weightVersionOf(source: ModelSource): string {
  return source.kind === "folder" && source.seed !== undefined
    ? `${source.path}#${source.seed}`
    : source.path;
}
