import { internalError } from "../../foundation/base/index.ts";
import type { Answer, Rollout } from "../../foundation/contract/index.ts";

/** The answer that one of the attempts at an item gives, with all that it took. */
export function answerOf(rollouts: readonly Rollout[], chosen: Rollout | undefined): Answer {
  if (chosen === undefined) throw internalError("an item was answered without an attempt");
  return { item: chosen.item, response: chosen.response, rollouts };
}

/** Mean logprob of the tokens that were sampled; −∞ when none was. */
export function meanLogprob(rollout: Rollout): number {
  let [sum, count] = [0, 0];
  for (const segment of rollout.segments) {
    if (segment.kind !== "sampled") continue;
    for (const logprob of segment.logprobs) sum += logprob;
    count += segment.logprobs.length;
  }
  return count === 0 ? Number.NEGATIVE_INFINITY : sum / count;
}
