import type { StoredEvent } from "../../foundation/contract/index.ts";

/** The last round that was begun; 0 before the first. */
export function lastBegun(events: readonly StoredEvent[]): number {
  return events.reduce(
    (last, { event }) => (event.type === "round-started" ? Math.max(last, event.round) : last),
    0,
  );
}
