import {
  type Baseline,
  type BaselinesPlan,
  baselineNameSchema,
  type StoredEvent,
} from "../../foundation/contract/index.ts";
import { type BaselinesRequest, leaveOut, measureBaselines } from "../round/baselines.ts";
import type { RoundContext } from "../round/context.ts";
import type { RunDefinition } from "../round/definition.ts";
import { type SpentCap, spentWords, stoppedAt } from "./budget/spending.ts";

/** With fewer rounds a run's first checkpoint, the first that can be compared with, stands at more than a fifth of its compute. */
export const fewestRounds = 5;

/** Which baselines a run has, or why none. */
export function baselinesOf({
  baselines,
  budget: { rounds },
}: Pick<RunDefinition, "baselines" | "budget">): BaselinesPlan {
  if (baselines !== undefined && typeof baselines !== "string") return { mode: "off", reason: baselines.off };
  if (rounds === 0) return { mode: "off", reason: "there are no rounds to compare with" };
  if (baselines !== undefined) return { mode: baselines };
  if (rounds >= fewestRounds) return { mode: "short" };
  const share = rounds === 1 ? "its whole compute" : `${Math.round(100 / rounds)} % of its compute`;
  return {
    mode: "off",
    reason: `the first checkpoint of a run of ${rounds === 1 ? "one round" : `${rounds} rounds`} comes after ${share}, which each baseline would take too; \`baselines: "short"\` measures them all the same`,
  };
}

/** Rounds after which a run has measured baselines of a mode. */
function roundsMeasured(events: readonly StoredEvent[], mode: Baseline["mode"]): ReadonlySet<number> {
  return new Set(
    events.flatMap(({ event }) =>
      event.type === "baseline-measured" && event.mode === mode ? [event.round] : [],
    ),
  );
}

/** Whether a run that has ended is still to measure what it was asked for since: at its full compute, which no budget counts. */
export function baselinesAwaited(
  events: readonly StoredEvent[],
  definition: RunDefinition,
  round: number,
): boolean {
  if (baselinesOf(definition).mode !== "full") return false;
  const told = events.flatMap(({ event }) =>
    (event.type === "baseline-measured" || event.type === "baselines-left-out") &&
    event.mode === "full" &&
    event.round === round
      ? [event]
      : [],
  );
  const measured = new Set(
    told.flatMap((event) => (event.type === "baseline-measured" ? [event.baseline] : [])),
  );
  const leftOut = told.some(({ type }) => type === "baselines-left-out");
  return (!leftOut && measured.size < baselineNameSchema.options.length) || measuredSinceEnd(events);
}

/** Whether baselines were measured after a run's last words, which are then to be said again. */
export function measuredSinceEnd(events: readonly StoredEvent[]): boolean {
  const end = events.findLastIndex(({ event }) => event.type === "run-finished");
  if (end === -1) return false;
  const since = new Set(events.slice(end + 1).map(({ event }) => event.type));
  return (since.has("baseline-measured") || since.has("baselines-left-out")) && !since.has("round-finished");
}

export interface RunBaselines extends Omit<BaselinesRequest, "mode"> {
  /** The cap that ended the run; null where none did. */
  readonly spent: SpentCap | null;
  /** Counts no cost until the returned function is called. */
  readonly aside: () => () => void;
}

/**
 * A run's baselines, once its rounds are over. Short ones are a part of its budget, and measured once, however many rounds are
 * added later; full ones stand outside of it.
 */
export async function playBaselines(context: RoundContext, request: RunBaselines): Promise<void> {
  const { definition, run } = context;
  const { spent, aside, ...rest } = request;
  const { mode } = baselinesOf(definition);
  if (mode === "off") return;
  if (mode === "full") {
    const counted = aside();
    try {
      await measureBaselines({ ...context, withinBudget: () => {} }, { ...rest, mode });
    } finally {
      counted();
    }
    return;
  }
  const { round } = request;
  const measured = roundsMeasured(run.events(), mode);
  if (measured.size > 0 && !measured.has(round)) return;
  if (spent !== null) return leaveOut(context, { round, mode }, spentWords(spent));
  try {
    await measureBaselines(context, { ...rest, mode });
  } catch (error) {
    const cap = stoppedAt(error);
    if (cap === null) throw error;
    leaveOut(context, { round, mode }, spentWords(cap));
  }
}
