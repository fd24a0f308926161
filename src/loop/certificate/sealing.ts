import type { Decided } from "./schema.ts";

/**
 * Whether results stay in the ledger: items of the gate or of a probe will be used again, and a look at results on them is more
 * than the one bit that may leave an opening.
 */
export function isSealed({ opening, probes }: Pick<Decided, "opening" | "probes">): boolean {
  return opening.reused || probes.some(({ reused }) => reused);
}
