import { z } from "zod";
import { randomStream, readOptions } from "../../foundation/base/index.ts";
import type { RewardPart } from "./part.ts";

const optionsSchema = z.strictObject({
  /** The reward whose values are handed out at random. */
  of: z.custom<RewardPart>(
    (value) => typeof value === "object" && value !== null && "reward" in value,
    "expected a reward, such as verifier()",
  ),
  seed: z.number().int().min(0).default(0),
});
export type PermutedOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * The values of another reward, permuted at random among all rollouts of a batch: as many of each as there were, and none of
 * them says anything about the rollout that has it. Rollouts without a reward stay without. It is a control: what a method gains
 * with it, it does not gain from its reward (after the random rewards of arXiv 2506.10947).
 *
 * @example
 * grpo({ reward: permuted({ of: verifier(), seed: 1 }) })
 */
export function permuted(options: PermutedOptions): RewardPart {
  const { of, seed } = readOptions("permuted()", optionsSchema, options);
  const { name, description, peers, needs } = of;
  return {
    name: `permuted ${name}`,
    description: { ...description, of: name, seed },
    origin: "self-derived",
    peers,
    ...(needs === undefined ? {} : { needs }),
    reward: async (groups, context) => {
      const scored = await of.reward(groups, context);
      const rewards = scored.flatMap(({ rollouts }) =>
        rollouts.flatMap(({ reward }) => (reward === null ? [] : [reward])),
      );
      // A batch has an order of its own, the same in every attempt at it: its rollouts' numbers are in no other batch.
      const batch = groups.find(({ rollouts }) => rollouts.length > 0)?.rollouts[0];
      const dealt = randomStream(seed, `permuted/${batch?.seed ?? 0}`).shuffle(rewards);
      let next = 0;
      return scored.map(({ item, rollouts }) => ({
        item,
        rollouts: rollouts.map((one) =>
          one.reward === null ? one : { ...one, reward: dealt[next++] ?? null },
        ),
      }));
    },
  };
}
