import type { Rollout, RolloutGroup, ScoredGroup, TokenCertainty } from "../../foundation/contract/index.ts";
import { exampleOfRollout } from "../rollout/index.ts";
import { type RewardContext, scoringAnswers } from "./part.ts";

/** Sequences that travel to the engine in one call. */
const sequencesPerCall = 512;

/** How certain of each response the weights that wrote it are: a mean over its tokens of what `read` finds; null where it has none. */
export function scoreByCertainty(
  groups: readonly RolloutGroup[],
  read: (certainty: TokenCertainty) => Float32Array,
  context: RewardContext,
): Promise<ScoredGroup[]> {
  return scoringAnswers(groups, (answering) => certaintiesOf(answering, read, context));
}

async function certaintiesOf(
  groups: readonly RolloutGroup[],
  read: (certainty: TokenCertainty) => Float32Array,
  { models, signal }: RewardContext,
): Promise<ScoredGroup[]> {
  const rewards = new Map<Rollout, number | null>();
  const byRole = Map.groupBy(
    groups.flatMap(({ rollouts }) => rollouts),
    ({ role }) => role,
  );
  for (const [role, own] of byRole) {
    const { sampler } = models.policyOf(role);
    for (let start = 0; start < own.length; start += sequencesPerCall) {
      const part = own.slice(start, start + sequencesPerCall);
      // As it was written, under a hint where there was one.
      const examples = part.map(({ learnAfter, ...rollout }) => exampleOfRollout(rollout));
      const wholes = examples.map(({ context, response }) => Int32Array.from([...context, ...response]));
      const told = (await sampler.certainty?.(wholes, signal ? { signal } : {})) ?? [];
      for (const [index, rollout] of part.entries()) {
        const certainty = told[index];
        const begin = examples[index]?.context.length ?? 0;
        rewards.set(rollout, certainty === undefined ? null : meanOf(read(certainty).subarray(begin)));
      }
    }
  }
  return groups.map(({ item, rollouts }) => ({
    item,
    rollouts: rollouts.map((rollout) => ({ rollout, reward: rewards.get(rollout) ?? null, parts: {} })),
  }));
}

function meanOf(values: Float32Array): number | null {
  if (values.length === 0) return null;
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  return Number.isFinite(mean) ? mean : null;
}
