import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import { answeringIn, modalAnswer, type RewardPart, scoreEach, voteOf } from "./part.ts";

const optionsSchema = z.strictObject({
  /** Least share of an item's attempts that the answer must have for any of them to be rewarded. */
  share: z.number().min(0).max(1).default(0),
});
export type MajorityOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Reward 1 for responses with the answer that most attempts at the item give (`answerOf` of the task, else the whole text), 0 for the others; on a tie nobody is rewarded
 * (majority vote as a label: TTRL, arXiv 2504.16084, section 2).
 *
 * @example
 * gro({ generate: samples({ samples: 16 }), reward: majority({ share: 0.5 }), update: policyGradient() })
 */
export function majority(options: MajorityOptions = {}): RewardPart {
  const read = readOptions("majority()", optionsSchema, options);
  return {
    name: "majority",
    description: read,
    origin: "self-derived",
    peers: 1,
    reward: async (groups, { task }) => {
      const modes = new Map(groups.map((group) => [group, modalAnswer(answeringIn(group), task)]));
      return scoreEach(groups, (rollout, group) => {
        const mode = modes.get(group);
        if (mode === undefined || mode.share < read.share) return 0;
        return voteOf(task, rollout) === mode.text ? 1 : 0;
      });
    },
  };
}
