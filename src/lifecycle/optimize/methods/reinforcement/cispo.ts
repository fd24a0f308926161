import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { rewardPart } from "../../../../gro/method/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { verifier } from "../../../../gro/reward/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { onPolicy, onPolicyOptions, overlapOption } from "./on-policy.ts";

const optionsSchema = z.strictObject({
  ...onPolicyOptions(),
  ...overlapOption,
  reward: rewardPart.optional(),
  /** The most that a token's ratio may weigh. */
  clipHigh: z.number().min(1).default(4),
  /** Optimiser steps that a batch is divided into: without several, no ratio leaves 1. */
  minibatches: z.number().int().min(1).default(4),
});
export type CispoOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * CISPO (arXiv 2506.13585, equation 4): the importance weight is clipped, the gradient is not, so that no token is left out however far
 * it has moved:
 *
 *   J(θ) = E [ Σ_i Σ_t sg(min(ρ_i,t, c)) A_i log π(o_i,t) / Σ_i |o_i| ],   A_i as in GRPO, sg without a gradient
 *
 * Defaults: 32 items × 8 samples, c = 4, 4 steps a batch, 10 batches a round at 3e-4.
 *
 * @example
 * cispo({ clipHigh: 4, minibatches: 4 })
 */
export function cispo(options: CispoOptions = {}): Method {
  const { reward = verifier(), ...read } = readOptions("cispo()", optionsSchema, options);
  const { learningRate, optimizerState, minibatches, clipHigh } = read;
  const update = policyGradient({ loss: "cispo", learningRate, optimizerState, minibatches, clipHigh });
  return onPolicy({ name: "CISPO", ...read, reward, update });
}

export const cispoPage: MethodPage = {
  name: "cispo",
  title: "CISPO",
  paradigm: "reinforcement",
  reward: "external",
  summary: "GRPO that clips a token's importance weight instead of leaving the token out.",
  formula: "J = E Σ_i Σ_t sg(min(ρ_i,t, c)) A_i log π(o_i,t) / Σ_i |o_i|",
  source: "arXiv 2506.13585, equation 4",
  checked: true,
  options: optionsSchema,
  make: cispo,
  vary: [["cispo({ clipHigh: 2, minibatches: 8 })", "more steps a batch, held nearer"]],
};
