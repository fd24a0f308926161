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
 * The values of another reward, permuted at random among all rollouts of a role in a batch: as many of each as there were, and none
 * of them says anything about the rollout that has it. Rollouts without a reward stay without. It is a control: what a method gains
 * with it, it does not gain from its reward (after the random rewards of arXiv 2506.10947).
 *
 * @example
 * grpo({ reward: permuted({ of: verifier(), seed: 1 }) })
 */
export function permuted(options: PermutedOptions): RewardPart {
  const { of, seed } = readOptions("permuted()", optionsSchema, options);
  const { asksVerifier: _, ...part } = of;
  return {
    ...part,
    name: `permuted ${of.name}`,
    description: { ...of.description, of: of.name, seed },
    origin: "self-derived",
    reward: async (groups, context) => {
      const scored = await of.reward(groups, context);
      const byRole = Map.groupBy(
        scored.flatMap(({ rollouts }) => rollouts).filter(({ reward }) => reward !== null),
        ({ rollout }) => rollout.role,
      );
      // A batch has an order of its own, the same in every attempt at it: no other has its seed.
      const batch = randomStream(seed, `permuted/${context.seed}`);
      const dealt = new Map(
        [...byRole].flatMap(([role, own]) => {
          const rewards = batch.fork(role).shuffle(own.map(({ reward }) => reward));
          return own.map((one, index) => [one, rewards[index] ?? null] as const);
        }),
      );
      return scored.map(({ item, rollouts }) => ({
        item,
        rollouts: rollouts.map((one) => ({ ...one, reward: dealt.get(one) ?? null })),
      }));
    },
  };
}
