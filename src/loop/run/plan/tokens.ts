import type { PlannedStage } from "./planned.ts";

/** Sampled and trained in stages. */
export function tokensOf(stages: readonly PlannedStage[]): number {
  return stages.reduce((sum, { tokensSampled, tokensTrained }) => sum + tokensSampled + tokensTrained, 0);
}

/** Sampled and trained in so many rounds, each stage in those that have it. */
export function tokensOfRounds(stages: readonly PlannedStage[], count: number): number {
  return stages.reduce((sum, stage) => {
    const { rounds: [first, last] = [1, count] } = stage;
    return sum + (last - first + 1) * tokensOf([stage]);
  }, 0);
}

/** Sampled and trained in the first round. */
export function tokensOfFirstRound(stages: readonly PlannedStage[]): number {
  return tokensOf(stages.filter(({ rounds: [first] = [1] }) => first === 1));
}
