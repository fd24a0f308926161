import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import type { Rollout } from "../../foundation/contract/index.ts";
import { modalAnswer, type RewardPart, scoringAnswers, voteOf } from "./part.ts";

/**
 * Reward 1 for every response, of any turn, with the answer that most last words of a debate give; 0 for the others, and for all where
 * the last words are tied. The item becomes one with that answer, `made`, for a pass that trains on it (multi-agent finetuning, arXiv
 * 2501.05707, section 2.2; DTE, arXiv 2505.15734, section 3).
 *
 * @example
 * gro({ generate: debate(), reward: consensus(), update: supervised() })
 */
export function consensus(options: NoOptions = {}): RewardPart {
  refuseOptions("consensus()", options);
  return {
    name: "consensus",
    description: {},
    origin: "self-derived",
    peers: 1,
    reward: (groups, { task }) =>
      scoringAnswers(groups, async (answering) =>
        answering.map(({ item, rollouts }) => {
          const last = Math.max(...rollouts.map(turnOf));
          const agreed = modalAnswer(
            rollouts.filter((rollout) => turnOf(rollout) === last),
            task,
          );
          return {
            item,
            rollouts: rollouts.map((rollout, index) => ({
              rollout,
              reward: agreed !== undefined && voteOf(task, rollout) === agreed.text ? 1 : 0,
              parts: agreed === undefined ? {} : { agreed: agreed.share },
              ...(agreed === undefined || index > 0
                ? {}
                : { made: { ...item, answer: agreed.text, source: `model:${rollout.role}` } }),
            })),
          };
        }),
      ),
  };
}

function turnOf({ turn = 0 }: Rollout): number {
  return turn;
}
