import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import { answeringIn, type RewardPart, scoreEach } from "./part.ts";

/**
 * Reward 1 for complete responses of the most frequent length among all complete ones to items of the same difficulty; of
 * two lengths as frequent, the shorter (the length filter of arXiv 2502.01612, with the mode in place of the maximum, which
 * one endless output would spoil).
 *
 * @example
 * rejectionSampling({ generate: greedy(), reward: modalLength() })
 */
export function modalLength(options: NoOptions = {}): RewardPart {
  refuseOptions("modalLength()", options);
  return {
    name: "modal length",
    description: {},
    origin: "self-derived",
    peers: 1,
    reward: async (groups) => {
      const counts = new Map<number, Map<number, number>>();
      for (const group of groups) {
        const { item } = group;
        const lengths = counts.get(item.difficulty) ?? new Map<number, number>();
        counts.set(item.difficulty, lengths);
        for (const { response } of answeringIn(group)) {
          if (response.complete)
            lengths.set(response.text.length, (lengths.get(response.text.length) ?? 0) + 1);
        }
      }
      const modes = new Map(
        [...counts].map(([difficulty, lengths]) => [
          difficulty,
          [...lengths].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0],
        ]),
      );
      return scoreEach(groups, ({ item, response }) =>
        response.complete && response.text.length === modes.get(item.difficulty) ? 1 : 0,
      );
    },
  };
}
