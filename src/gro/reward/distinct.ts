import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Rollout } from "../../foundation/contract/index.ts";
import { type RewardPart, rewardLike } from "./part.ts";

const optionsSchema = z.strictObject({
  /** The reward of which repetitions lose theirs. */
  of: rewardLike,
  /** What makes two responses the same: their whole text, or the list of equations in it, in any order. */
  by: z.enum(["text", "equations"]).default("equations"),
  /** Most of them at each item that are rewarded 1, and so imitated; no limit if left out. */
  perItem: z.number().int().min(1).optional(),
});
export type DistinctOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * A reward of which, at each item, only the first of several like responses keeps more than 0: different ways to the answer are
 * learnt, not one way many times, and of no item more than `perItem` (RFT, arXiv 2308.01825, section 3.3, which tells reasoning paths apart by their equations). A
 * response without an equation is told apart by its text. What is rewarded less than 1 takes no place from what is.
 *
 * @example
 * rejectionSampling({ generate: samples({ samples: 16 }), reward: distinct({ of: verifier(), by: "equations" }) })
 */
export function distinct(options: DistinctOptions): RewardPart {
  const {
    of: reward,
    by,
    perItem = Number.POSITIVE_INFINITY,
  } = readOptions("distinct()", optionsSchema, options);
  return {
    ...reward,
    name: `distinct ${reward.name}`,
    description: { ...reward.description, by, ...(Number.isFinite(perItem) ? { perItem } : {}) },
    reward: async (groups, context) => {
      const scored = await reward.reward(groups, context);
      return scored.map(({ item, rollouts }) => {
        const met = new Set<string>();
        const partly = new Set<string>();
        return {
          item,
          rollouts: rollouts.map((one) => {
            if (one.reward === null || one.reward <= 0) return one;
            const key = by === "text" ? one.rollout.response.text : equationsIn(one.rollout);
            const whole = one.reward >= 1;
            if (met.has(key) || (whole ? met.size >= perItem : partly.has(key)))
              return { ...one, reward: 0, parts: { ...one.parts, repeated: 1 } };
            (whole ? met : partly).add(key);
            return one;
          }),
        };
      });
    },
  };
}

/** `3 + 4 = 7` and `7 = 3+4` are two; the order in which equations come is none of their identity. */
function equationsIn({ response: { text } }: Rollout): string {
  const equations = text.match(/[\d.]+(?:\s*[-+*/×÷]\s*[\d.]+)+\s*=\s*-?[\d.]+/g) ?? [];
  if (equations.length === 0) return text;
  return equations
    .map((equation) => equation.replaceAll(/\s/g, ""))
    .sort()
    .join("\n");
}
