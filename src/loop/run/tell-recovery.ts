import type { Recovery } from "../../model/engine/recovery/index.ts";
import { type RoundContext, tell } from "../round/context.ts";

/** Stores that a worker's death was survived, and how much of it was work done again. */
export function tellRecovery(context: RoundContext, { reason, weights, replayed, seconds }: Recovery): void {
  const events = context.run.events();
  const begun = events.flatMap(({ event }) => (event.type === "round-started" ? [event.round] : []));
  tell(context, `recovered/${events.length}`, {
    type: "engine-recovered",
    round: Math.max(0, ...begun),
    reason,
    weights,
    replayed,
    seconds,
  });
}
