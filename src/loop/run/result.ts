import type { EventOf, Gain, StoredEvent } from "../../foundation/contract/index.ts";

export interface RunResult {
  readonly run: string;
  readonly outcome: "rounds-spent" | "stopped-by-guard" | "interrupted";
  readonly reason: string;
  /** Folder of the champion's weights, which any tool that reads Hugging Face folders can load; null before the run ends. */
  readonly champion: string | null;
  /** The round that made it; 0 is the preparation. */
  readonly championRound: number | null;
  /** On audit items, champion against base; null when the base is still the champion. */
  readonly gain: Gain | null;
  /** All of the run, in order. */
  readonly events: readonly StoredEvent[];
  /** True when the run was finished before and nothing was done. */
  readonly alreadyFinished: boolean;
}

/** What a run has come to, read off its events. */
export function resultOf(
  run: string,
  events: readonly StoredEvent[],
  pathOf: (checkpoint: string) => string,
): RunResult {
  let finished: EventOf<"run-finished"> | undefined;
  let rollback: EventOf<"champion-rolled-back"> | undefined;
  let gain: Gain | null = null;
  for (const { event } of events) {
    if (event.type === "run-finished") {
      finished = event;
      rollback = undefined;
    }
    if (event.type === "champion-rolled-back") {
      rollback = event;
      gain = auditOf(events, event.to.checkpoint)?.gain ?? null;
    }
    if (event.type === "audit-measured" && event.comparison === "base") gain = event.gain;
  }
  return {
    run,
    outcome: finished?.outcome ?? "interrupted",
    reason: finished?.reason ?? "not finished",
    champion: finished === undefined ? null : pathOf(rollback?.to.checkpoint ?? finished.champion),
    championRound: finished === undefined ? null : (rollback?.to.round ?? finished.championRound),
    gain,
    events,
    alreadyFinished: false,
  };
}

/** The last audit of this checkpoint against the base, if there was one. */
export function auditOf(
  events: readonly StoredEvent[],
  checkpoint: string,
): EventOf<"audit-measured"> | undefined {
  return events
    .flatMap(({ event }) => (event.type === "audit-measured" && event.comparison === "base" ? [event] : []))
    .findLast(({ after }) => after.weightVersion === checkpoint);
}

/** Whether a run with so many rounds has nothing left to do: a champion that was taken back is still to be audited. */
export function isFinished(events: readonly StoredEvent[], rounds: number): boolean {
  const played = lastRound(events);
  const rolledBackAt = events.findLastIndex(({ event }) => event.type === "champion-rolled-back");
  return events
    .slice(rolledBackAt + 1)
    .some(
      ({ event }) =>
        event.type === "run-finished" && (event.outcome === "stopped-by-guard" || played >= rounds),
    );
}

/** The last round that was finished, or given up by a rollback; 0 before the first. */
export function lastRound(events: readonly StoredEvent[]): number {
  return events.reduce(
    (last, { event }) =>
      event.type === "round-finished" || event.type === "champion-rolled-back"
        ? Math.max(last, event.round)
        : last,
    0,
  );
}
