import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { rewardPart } from "../../../../gro/method/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { verifier } from "../../../../gro/reward/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { onPolicy, onPolicyOptions, overlapOption } from "./on-policy.ts";

const optionsSchema = z.strictObject({
  ...onPolicyOptions({ items: 64, attempts: 4 }),
  ...overlapOption,
  reward: rewardPart.optional(),
  /** What a nat of KL from the weights with which the run began takes off a reward; 0 for nothing. */
  kl: z.number().min(0).default(0.05),
});
export type RlooOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * RLOO, REINFORCE leave-one-out (arXiv 2402.14740, equation 7): each of k attempts is compared with the mean of the others; a response is
 * one action, its tokens are summed, and nothing is clipped:
 *
 *   ∇J = E (1/k) Σ_i [ R_i − (1/(k − 1)) Σ_j≠i R_j ] ∇ log π(y_i|x),   R_i = r_i − β log π(y_i|x) / π_ref(y_i|x)
 *
 * Defaults: 64 items × 4 samples, β = .05 (TRL's), 10 batches a round at 3e-4.
 *
 * @example
 * rloo({ items: 64, samples: 4, kl: 0.05 })
 */
export function rloo(options: RlooOptions = {}): Method {
  const { reward = verifier(), kl, ...read } = readOptions("rloo()", optionsSchema, options);
  const { learningRate, optimizerState } = read;
  const update = policyGradient({
    ...{ learningRate, optimizerState, advantages: "leave-one-out", average: "constant", length: 1 },
    ...(kl === 0 ? {} : { kl: { coefficient: kl, in: "reward" } }),
  });
  return onPolicy({ name: "RLOO", ...read, reward, update });
}

export const rlooPage: MethodPage = {
  name: "rloo",
  title: "RLOO",
  paradigm: "reinforcement",
  reward: "external",
  summary: "Each attempt is compared with the mean of the others at the same item; no clip, no deviation.",
  formula: "∇J = E (1/k) Σ_i [R_i − mean of R_j≠i] ∇ log π(y_i|x),  R = r − β log π/π_ref",
  source: "arXiv 2402.14740, equation 7",
  checked: true,
  options: optionsSchema,
  make: rloo,
  vary: [
    ["rloo({ samples: 2, items: 128 })", "pairs: more items for the same sampling"],
    ["rloo({ kl: 0 })", "free of the weights with which the run began"],
  ],
};
