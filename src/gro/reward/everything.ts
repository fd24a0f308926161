import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import { type RewardPart, scoreEach } from "./part.ts";

/**
 * Reward 1 for every response, right or wrong: no filter at all. It exists to show what filters are for: on the model's
 * own labels errors feed on themselves (the error avalanche, arXiv 2502.01612).
 *
 * @example
 * rejectionSampling({ generate: greedy(), reward: everything() })
 */
export function everything(options: NoOptions = {}): RewardPart {
  refuseOptions("everything()", options);
  return {
    name: "everything",
    description: {},
    origin: "self-derived",
    peers: 1,
    reward: async (groups) => scoreEach(groups, () => 1),
  };
}
