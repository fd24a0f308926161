import { type NoOptions, refuseOptions } from "../../../foundation/base/index.ts";
import type { Selector } from "../../../foundation/contract/index.ts";

/**
 * Keeps each item once, and none that an earlier round has learnt from. Items are one when their canonical forms are.
 *
 * @example
 * defineRun({ task: reverse(), select: [deduplicate()] });
 */
export function deduplicate(options: NoOptions = {}): Selector {
  refuseOptions("deduplicate()", options);
  return {
    name: "deduplicate",
    description: {},
    select: async (members, { seen }) => {
      const met = new Set(seen);
      return members.filter(({ item }) => {
        if (met.has(item.canonical)) return false;
        met.add(item.canonical);
        return true;
      });
    },
  };
}
