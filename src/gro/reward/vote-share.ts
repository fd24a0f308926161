import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import { answeringIn, type RewardPart, scoreEach, voteOf, votesIn } from "./part.ts";

/**
 * The share of an item's attempts that give the same answer as this one: V(y)/k, by which ScPO (arXiv 2411.04109, section 2.2) chooses
 * and weighs its pairs. Answers are compared as the task reads them; one that has none, or was cut off, has no vote.
 *
 * @example
 * gro({ generate: samples({ samples: 8 }), reward: voteShare(), update: preference({ weight: "difference", least: 0.5 }) });
 */
export function voteShare(options: NoOptions = {}): RewardPart {
  refuseOptions("voteShare()", options);
  return {
    name: "vote share",
    description: {},
    origin: "self-derived",
    peers: 1,
    reward: async (groups, { task }) => {
      const shares = new Map(
        groups.map((group) => {
          const attempts = answeringIn(group);
          const votes = [...votesIn(attempts, task)];
          return [group, new Map(votes.map(([answer, count]) => [answer, count / attempts.length]))];
        }),
      );
      return scoreEach(groups, (rollout, group) => {
        const vote = voteOf(task, rollout);
        return vote === undefined ? 0 : (shares.get(group)?.get(vote) ?? 0);
      });
    },
  };
}
