import type { EventOf } from "../../foundation/contract/index.ts";
import { leadCheckpoint, type RoundContext } from "../round/context.ts";
import { type Crowned, type RunState, rolledBack } from "../round/state.ts";
import { rememberCrowned } from "./adopt.ts";

export interface RollbackReplay {
  /** Times that a person has taken the champion back. */
  readonly count: number;
  /** The last round that was begun before one of them; 0 without any. */
  readonly lastRound: number;
  /** Whether this round was cut short by one: it is never played. */
  givesUp(round: number): boolean;
  /** Takes note of a round's champion, and does to it what a person did after that round. */
  after(state: RunState): RunState;
}

/**
 * What a person has taken back in this run, at the rounds where it happened: a run that goes on plays its rounds from their
 * records, and must come to the champion that it had.
 */
export function replayRollbacks(context: RoundContext): RollbackReplay {
  const { definition, ledger, run } = context;
  const rollbacks: EventOf<"champion-rolled-back">[] = [];
  const finished = new Set<number>();
  for (const { event } of run.events()) {
    if (event.type === "champion-rolled-back") rollbacks.push(event);
    if (event.type === "round-finished") finished.add(event.round);
  }
  const crowned = new Map<string, Crowned>();
  return {
    count: rollbacks.length,
    lastRound: Math.max(0, ...rollbacks.map(({ round }) => round)),
    givesUp: (round) => !finished.has(round) && rollbacks.some((rollback) => rollback.round === round),
    after: (state) => {
      const { champion: lineage, championValidation: validation } = state;
      const checkpoint = leadCheckpoint(context, lineage);
      if (!crowned.has(checkpoint)) {
        crowned.set(checkpoint, { lineage, validation });
        rememberCrowned(definition, ledger, run.id, lineage);
      }
      let after = state;
      for (const { round, to } of rollbacks) {
        const earlier = round === state.round ? crowned.get(to.checkpoint) : undefined;
        if (earlier !== undefined) after = rolledBack(after, earlier);
      }
      return after;
    },
  };
}
