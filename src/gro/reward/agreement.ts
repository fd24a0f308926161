import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Rollout, Task } from "../../foundation/contract/index.ts";
import { answeringIn, modalAnswer, type RewardPart, scoreEach, voteOf } from "./part.ts";

const optionsSchema = z.strictObject({
  /** Policies, trained apart from different random weights, that must agree. */
  peers: z.number().int().min(2).default(2),
});
export type AgreementOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Reward 1 where every peer gives the same complete answer, 0 elsewhere. Peers that were trained apart make different
 * mistakes, so a wrong label survives only where both make the same one.
 *
 * @example
 * rejectionSampling({ generate: greedy(), reward: agreement({ peers: 2 }) })
 */
export function agreement(options: AgreementOptions = {}): RewardPart {
  const read = readOptions("agreement()", optionsSchema, options);
  return {
    name: "agreement",
    description: read,
    origin: "self-derived",
    peers: read.peers,
    reward: async (groups, { task }) => {
      const agreed = new Map(
        groups.map((group) => [group, agreedAnswer(answeringIn(group), read.peers, task)]),
      );
      return scoreEach(groups, (rollout, group) => {
        const vote = voteOf(task, rollout);
        return vote !== undefined && vote === agreed.get(group) ? 1 : 0;
      });
    },
  };
}

/** What every peer's most frequent answer is, if it is the same. */
function agreedAnswer(
  rollouts: readonly Rollout[],
  peers: number,
  task: Pick<Task, "answerOf">,
): string | undefined {
  const byRole = Map.groupBy(rollouts, ({ role }) => role);
  if (byRole.size < peers) return undefined;
  const answers = new Set([...byRole.values()].map((own) => modalAnswer(own, task)?.text));
  const [answer] = answers;
  return answers.size === 1 ? answer : undefined;
}
