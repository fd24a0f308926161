import type { Recovery } from "../../model/engine/recovery/index.ts";
import { type RoundContext, tell } from "../round/context.ts";
import { lastBegun } from "../round/last-begun.ts";

/** Stores that a worker's death was survived, and how much of it was work done again. */
export function tellRecovery(context: RoundContext, { reason, weights, replayed, seconds }: Recovery): void {
  const events = context.run.events();
  tell(context, `recovered/${events.length}`, {
    type: "engine-recovered",
    round: lastBegun(events),
    reason,
    weights,
    replayed,
    seconds,
  });
}
