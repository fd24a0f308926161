import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import { sampledOf } from "../rollout/index.ts";
import { type RewardPart, scoreEach } from "./part.ts";

const optionsSchema = z.strictObject({
  /** Share of the token limit over which the penalty grows. */
  cache: z.number().positive().max(1).default(0.2),
});
export type OverlongPenaltyOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * DAPO's soft overlong punishment (arXiv 2503.14476, equation 13): 0 for a response that leaves the last `cache` of its item's token
 * limit L unused, from there down in a straight line,
 *
 *   r = ((1 − cache)·L − |o|) / (cache·L),   −1 for one that reached the limit without ending
 *
 * The paper's limit is 20,480 tokens, of which 4,096 are the cache.
 *
 * @example
 * weighted({ right: { reward: verifier() }, overlong: { reward: overlongPenalty({ cache: 0.2 }) } })
 */
export function overlongPenalty(options: OverlongPenaltyOptions = {}): RewardPart {
  const { cache } = readOptions("overlongPenalty()", optionsSchema, options);
  return {
    name: "overlong penalty",
    description: { cache },
    origin: "self-derived",
    peers: 1,
    reward: async (groups, { task }) =>
      scoreEach(groups, (rollout) => {
        const { item, response } = rollout;
        if (!response.complete) return -1;
        const limit = task.maxTokens(item);
        const { length } = sampledOf(rollout).tokens;
        return Math.max(-1, Math.min(0, ((1 - cache) * limit - length) / (cache * limit)));
      }),
  };
}
