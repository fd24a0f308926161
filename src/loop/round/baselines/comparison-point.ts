import type { StoredEvent } from "../../../foundation/contract/index.ts";

/** What a round's training says of itself. */
export interface TrainedRound {
  readonly round: number;
  readonly compute: number;
  readonly rollouts: number;
  /** Of its trained tokens, those that no model wrote; null where nothing was trained. */
  readonly realShare: number | null;
  /** A guard let nothing be learnt. */
  readonly blocked: boolean;
}

/** All rounds of a run that trained, in order. Of ledgers of before compute was counted it is 0. */
export function trainedRounds(events: readonly StoredEvent[]): TrainedRound[] {
  const rounds = events.flatMap(({ event }): TrainedRound[] => {
    if (event.type !== "training-finished") return [];
    const { rollouts, realShare, blocked } = event.evidence;
    return [
      {
        round: event.round,
        compute: event.compute ?? 0,
        rollouts: typeof rollouts === "number" ? rollouts : 0,
        realShare: typeof realShare === "number" ? realShare : null,
        blocked: typeof blocked === "string",
      },
    ];
  });
  return rounds.sort((one, other) => one.round - other.round);
}

/** Where a run is compared with its baselines. */
export interface ComparisonPoint {
  readonly round: number;
  /** Of all rounds to there. */
  readonly compute: number;
  /** Of the whole run's compute. */
  readonly share: number;
}

/** The part of a run's compute that short baselines get at least: its first checkpoint after it is theirs. */
export const shortShare = 0.1;

/** The round whose checkpoint is the first at a share of the run's compute; null where none has learnt. */
export function pointAt(rounds: readonly TrainedRound[], share: number): ComparisonPoint | null {
  const total = rounds.reduce((sum, { compute }) => sum + compute, 0);
  if (total === 0) return null;
  let compute = 0;
  for (const [index, one] of rounds.entries()) {
    compute += one.compute;
    // The last has it all, whatever rounding says.
    if (compute >= share * total || index === rounds.length - 1)
      return { round: one.round, compute, share: compute / total };
  }
  return null;
}
