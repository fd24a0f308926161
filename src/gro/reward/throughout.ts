import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import { earlierTurn, lastTurnsOf } from "../rollout/index.ts";
import { type RewardPart, rewardLike } from "./part.ts";

const optionsSchema = z.strictObject({
  /** Of the last turn. */
  of: rewardLike,
});
export type ThroughoutOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * The reward of the last turn for every turn that led to it: a search is worth what is answered after it. Turns belong together that have
 * one role and one `sample`; of those before the last `parts` say so, and groups count each attempt once.
 *
 * @example
 * gro({ generate: withSearch({ documents: ["…"] }), reward: throughout({ of: verifier() }), update: policyGradient() })
 */
export function throughout(options: ThroughoutOptions): RewardPart {
  const { of: by } = readOptions("throughout()", optionsSchema, options);
  return {
    ...by,
    name: `${by.name} throughout`,
    reward: async (groups, context) => {
      const last = groups.map(({ rollouts }) => lastTurnsOf(rollouts));
      const scored = await by.reward(
        groups.map(({ item, rollouts }, at) => ({
          item,
          rollouts: rollouts.filter((rollout) => last[at]?.has(rollout)),
        })),
        context,
      );
      return groups.map(({ item, rollouts }, at) => {
        const answered = scored[at]?.rollouts ?? [];
        return {
          item,
          rollouts: rollouts.map((rollout) => {
            const answer = answered.find(
              ({ rollout: { role, sample } }) => role === rollout.role && sample === rollout.sample,
            );
            if (answer !== undefined && answer.rollout.turn === rollout.turn) return answer;
            return { rollout, reward: answer?.reward ?? null, parts: { [earlierTurn]: 1 } };
          }),
        };
      });
    },
  };
}
