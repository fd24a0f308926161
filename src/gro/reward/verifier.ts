import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import { type RewardPart, scoreEachLater } from "./part.ts";

/**
 * The task's own verdict: reward = score in [0, 1]; a void verdict gives no reward at all.
 *
 * @example
 * grpo({ reward: verifier() })
 */
export function verifier(options: NoOptions = {}): RewardPart {
  refuseOptions("verifier()", options);
  return {
    name: "verifier",
    description: {},
    origin: "external",
    asksVerifier: true,
    peers: 1,
    reward: (groups, { verify }) =>
      scoreEachLater(groups, async (rollout) => {
        const verdict = await verify(rollout.item, rollout.response);
        return verdict.outcome === "scored" ? verdict.score : null;
      }),
  };
}
