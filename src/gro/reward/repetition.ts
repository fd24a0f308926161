import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import { sampledOf } from "../rollout/index.ts";
import { type RewardPart, rewardLike } from "./part.ts";
import { clusterShares } from "./repetition/cluster-shares.ts";

const optionsSchema = z.strictObject({
  /** What a proposal is worth by itself, such as learnability(). */
  of: rewardLike,
  /** λ: what the share of its cluster takes from it. */
  weight: z.number().min(0).default(1),
  /** Responses are alike whose mean distance 1 − BLEU is less than this. */
  threshold: z.number().min(0).max(1).default(0.5),
});
export type RepetitionOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Another reward, less the share of the batch that says nearly the same (novelty by cluster, R-Zero, arXiv 2508.05004, section 3.2):
 *
 *   r = max(0, r_of − λ·|C| / B)
 *
 * C is the response's cluster among all B rewarded ones of the batch, by BLEU of the tokens that were sampled, both ways, and average
 * linkage; `parts.repetition` is its share. What is rewarded 0 or less keeps that.
 *
 * @example
 * gro({ generate: propose(), reward: repetition({ of: learnability({ form: "middle" }) }), update: policyGradient() })
 */
export function repetition(options: RepetitionOptions): RewardPart {
  const { of: reward, weight, threshold } = readOptions("repetition()", optionsSchema, options);
  return {
    ...reward,
    name: `${reward.name} less repetition`,
    description: { ...reward.description, repetition: weight, threshold },
    reward: async (groups, context) => {
      const scored = await reward.reward(groups, context);
      const batch = scored.flatMap(({ rollouts }) => rollouts).filter((one) => one.reward !== null);
      const shares = clusterShares(
        batch.map(({ rollout }) => sampledOf(rollout).tokens),
        threshold,
      );
      const shareOf = new Map(batch.map((one, at) => [one, shares[at] ?? 0]));
      return scored.map(({ item, rollouts }) => ({
        item,
        rollouts: rollouts.map((one) => {
          const share = shareOf.get(one);
          if (share === undefined || one.reward === null) return one;
          const left = one.reward <= 0 ? one.reward : Math.max(0, one.reward - weight * share);
          return { ...one, reward: left, parts: { ...one.parts, repetition: share } };
        }),
      }));
    },
  };
}
