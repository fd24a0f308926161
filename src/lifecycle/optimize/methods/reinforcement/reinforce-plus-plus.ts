import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { rewardPart } from "../../../../gro/method/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { verifier } from "../../../../gro/reward/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { onPolicy, onPolicyOptions, overlapOption } from "./on-policy.ts";

const optionsSchema = z.strictObject({
  ...onPolicyOptions({ items: 256, attempts: 1, least: 1 }),
  ...overlapOption,
  reward: rewardPart.optional(),
  /** What a nat of KL from the weights with which the run began costs a token; 0 for nothing. */
  kl: z.number().min(0).default(0.01),
  minibatches: z.number().int().min(1).default(2),
});
export type ReinforcePlusPlusOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * REINFORCE++ (arXiv 2501.03262, section 3): no group and no critic; one attempt an item, what is still to come at each token less the
 * mean of the batch, divided by its deviation, and PPO's clip:
 *
 *   A_t = (R_t − mean R) / std R over all tokens of the batch,   R_t = r − β Σ_s≥t log π(y_s) / π_ref(y_s)
 *
 * Defaults: 256 items × 1 sample, β = .01, two steps a batch, 10 batches a round at 3e-4.
 *
 * @example
 * reinforcePlusPlus({ items: 256, kl: 0.01 })
 */
export function reinforcePlusPlus(options: ReinforcePlusPlusOptions = {}): Method {
  const { reward = verifier(), kl, ...read } = readOptions("reinforcePlusPlus()", optionsSchema, options);
  const { learningRate, optimizerState, minibatches } = read;
  const update = policyGradient({
    ...{ loss: "ppo", advantages: "batch", learningRate, optimizerState, minibatches },
    ...(kl === 0 ? {} : { kl: { coefficient: kl, in: "reward" } }),
  });
  return onPolicy({ name: "REINFORCE++", ...read, reward, update });
}

export const reinforcePlusPlusPage: MethodPage = {
  name: "reinforce-plus-plus",
  title: "REINFORCE++",
  paradigm: "reinforcement",
  reward: "external",
  summary:
    "One attempt at each of many items; rewards, less a KL token by token, are normalised over the whole batch.",
  formula: "A_t = (R_t − mean R) / std R over the batch's tokens,  R_t = r − β Σ_s≥t log π/π_ref",
  source: "arXiv 2501.03262, section 3",
  checked: true,
  options: optionsSchema,
  make: reinforcePlusPlus,
  vary: [["reinforcePlusPlus({ items: 64, samples: 4 })", "fewer items, each tried more often"]],
};
