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
  clipLow: z.number().min(0).max(1).default(0.97),
  clipHigh: z.number().min(1).default(1.04),
  /** Optimiser steps that a batch is divided into: without several, no ratio leaves 1. */
  minibatches: z.number().int().min(1).default(4),
});
export type GspoOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * GSPO (arXiv 2507.18071, equations 5 to 7): what is rewarded is a sequence, so the ratio and the clip are a sequence's:
 *
 *   J(θ) = E [ (1/G) Σ_i min(s_i A_i, clip(s_i) A_i) ],   s_i = (π(o_i|x) / π_old(o_i|x))^(1/|o_i|),   A_i as in GRPO
 *
 * The paper clips at 1 − 3e-4 and 1 + 4e-4 where steps are small; a hundred times as far here, because small models take steps of 3e-4.
 *
 * Defaults: 32 items × 8 samples, 4 steps a batch, 10 batches a round at 3e-4.
 *
 * @example
 * gspo({ clipLow: 0.97, clipHigh: 1.04, minibatches: 4 })
 */
export function gspo(options: GspoOptions = {}): Method {
  const { reward = verifier(), ...read } = readOptions("gspo()", optionsSchema, options);
  const { learningRate, optimizerState, minibatches, clipLow, clipHigh } = read;
  return onPolicy({
    name: "GSPO",
    ...read,
    reward,
    update: policyGradient({
      ...{ loss: "gspo", average: "responses", learningRate, optimizerState, minibatches, clipLow, clipHigh },
    }),
  });
}

export const gspoPage: MethodPage = {
  name: "gspo",
  title: "GSPO",
  paradigm: "reinforcement",
  reward: "external",
  summary: "GRPO with the ratio, and the clip, of a whole response instead of each token's.",
  formula: "J = E (1/G) Σ_i min(s_i A_i, clip(s_i) A_i),  s_i = (π(o_i|x) / π_old(o_i|x))^(1/|o_i|)",
  source: "arXiv 2507.18071, equations 5 to 7",
  checked: true,
  differs: "bounds a hundred times as far as the paper's, because small models take steps of 3e-4",
  options: optionsSchema,
  make: gspo,
  vary: [
    [
      "gspo({ clipLow: 0.9997, clipHigh: 1.0004, learningRate: 1e-6 })",
      "bounds and rate of the paper's size",
    ],
  ],
};
