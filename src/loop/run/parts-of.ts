import type { Pass } from "../../gro/method.ts";

/** Everything that a pass is made of: how it writes and rewards, and each role's way to learn. */
export function partsOf({ generate, reward, update, updates = {} }: Pass) {
  return [generate, reward, update, ...Object.values(updates)];
}
