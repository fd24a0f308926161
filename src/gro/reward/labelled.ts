import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import { type RewardPart, scoreEach, voteOf } from "./part.ts";

/**
 * Reward 1 for the answer that the item names, 0 for others: for items whose answers a model made, by a vote or a debate. An item
 * without an answer gives no reward.
 *
 * @example
 * gro({ generate: samples(), reward: labelled(), update: policyGradient() })
 */
export function labelled(options: NoOptions = {}): RewardPart {
  refuseOptions("labelled()", options);
  return {
    name: "labelled",
    description: {},
    origin: "self-derived",
    peers: 1,
    reward: async (groups, { task }) =>
      scoreEach(groups, (rollout) => {
        const { answer } = rollout.item;
        if (answer === undefined) return null;
        return voteOf(task, rollout) === answer ? 1 : 0;
      }),
  };
}
