import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import { answeringIn, type RewardPart, scoreEach, voteOf, votesIn } from "./part.ts";

const optionsSchema = z
  .strictObject({
    /** Items whose answers have less entropy than this, in nats, teach nothing: all is said of them. */
    least: z.number().min(0).default(0),
    /** Nor do those with more: nothing stands out. No bound if left out. */
    most: z.number().positive().optional(),
  })
  .refine(({ least, most = Number.POSITIVE_INFINITY }) => least <= most, '"least" is more than "most"');
export type ClusterFrequencyOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * The share of an item's attempts that mean the same as this one (EMPO, arXiv 2504.05812, section 3.2): r_i = |c(o_i)| / G. Attempts
 * mean the same where their answers are one, as the task reads them; one without an answer is rewarded 0. Rewarding frequent meanings
 * lowers the entropy H = −Σ_c p(c) log p(c) over meanings; items whose H is not between `least` and `most` have no difference of reward.
 *
 * @example
 * gro({ generate: samples({ samples: 8 }), reward: clusterFrequency({ most: 1.5 }), update: policyGradient() })
 */
export function clusterFrequency(options: ClusterFrequencyOptions = {}): RewardPart {
  const { least, most } = readOptions("clusterFrequency()", optionsSchema, options);
  return {
    name: "cluster frequency",
    description: { least, ...(most === undefined ? {} : { most }) },
    origin: "self-derived",
    peers: 1,
    reward: async (groups, { task }) => {
      const shares = new Map(
        groups.map((group) => {
          const attempts = answeringIn(group);
          const counts = votesIn(attempts, task);
          const all = attempts.length;
          const entropy = entropyOf([...counts.values()]);
          const taught = entropy >= least && entropy <= (most ?? Number.POSITIVE_INFINITY);
          return [group, new Map([...counts].map(([meaning, count]) => [meaning, taught ? count / all : 0]))];
        }),
      );
      return scoreEach(groups, (rollout, group) => {
        const meaning = voteOf(task, rollout);
        return meaning === undefined ? 0 : (shares.get(group)?.get(meaning) ?? 0);
      });
    },
  };
}

function entropyOf(counts: readonly number[]): number {
  const all = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count) => sum - (count / all) * Math.log(count / all), 0);
}
