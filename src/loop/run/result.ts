import type { Budget, EventOf, Gain, StoredEvent } from "../../foundation/contract/index.ts";
import { answersHeard } from "./answers-heard.ts";
import { stillSpent } from "./budget/spending.ts";
import { type Marginal, marginalOf } from "./marginal.ts";

export interface RunResult {
  readonly run: string;
  readonly outcome: "rounds-spent" | "stopped-by-guard" | "budget-spent" | "interrupted";
  readonly reason: string;
  /** Folder of the champion's weights, which any tool that reads Hugging Face folders can load; null before the run ends. */
  readonly champion: string | null;
  /** The round that made it; 0 is the preparation. */
  readonly championRound: number | null;
  /** On audit items, champion against base; null when the base is still the champion. */
  readonly gain: Gain | null;
  /** What the last rounds gained for what they cost, and so what more budget would buy; null where that cannot be said. */
  readonly marginal: Marginal | null;
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
  let spent: EventOf<"budget-spent"> | undefined;
  let gain: Gain | null = null;
  for (const { event } of events) {
    if (event.type === "budget-spent") spent = event;
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
    outcome: finished?.outcome ?? (spent === undefined ? "interrupted" : "budget-spent"),
    reason: finished?.reason ?? spent?.reason ?? "not finished",
    champion: finished === undefined ? null : pathOf(rollback?.to.checkpoint ?? finished.champion),
    championRound: finished === undefined ? null : (rollback?.to.round ?? finished.championRound),
    gain,
    marginal: marginalOf(events),
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

/**
 * Whether a run with such a budget has nothing left to do: it has ended since its last round, and no round is left to play or no
 * budget to play it with. A champion that was taken back is still to be audited, and a promotion that was answered after a cap
 * had ended the run is still to be made or given up.
 */
export function isFinished(events: readonly StoredEvent[], budget: Budget): boolean {
  const spent = stillSpent(events, budget) !== undefined;
  const before = events.findLastIndex(({ event }) => event.type === "run-finished");
  const since = events.slice(before + 1).some(({ event }) => goesOn.has(event.type));
  const end = events[before]?.event;
  // Stopped before there was a base: that is all there is.
  if (end?.type !== "run-finished") return spent;
  const { toDecide, open } = answersHeard(events);
  if (since || toDecide) return false;
  if (spent || end.outcome === "stopped-by-guard") return true;
  return !open && lastRound(events) >= budget.rounds;
}

/** What comes after an end only when the run has gone on from it. */
const goesOn: ReadonlySet<string> = new Set(["round-finished", "champion-rolled-back"]);

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
