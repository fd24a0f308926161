import type { Method } from "../method.ts";
import type { RewardPart } from "../reward/index.ts";
import { methodOf } from "./in-turn.ts";

/** The same method with other rewards in the place of its own: for controls. */
export function withRewards(method: Method, change: (reward: RewardPart) => RewardPart): Method {
  const { inRound, passes } = method;
  return {
    ...method,
    passes: passes.map((pass) => ({ ...pass, reward: change(pass.reward) })),
    ...(inRound === undefined
      ? {}
      : { inRound: (round: number) => withRewards(methodOf(method, round), change) }),
  };
}
