import type { Pass } from "../method.ts";
import type { UpdatePart } from "../update/index.ts";

/** How a role of the pass learns. */
export function updateOf({ update, updates = {} }: Pass, role: string): UpdatePart {
  return updates[role] ?? update;
}
