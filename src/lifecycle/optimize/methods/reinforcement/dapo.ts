import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { rewardPart } from "../../../../gro/method/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { overlongPenalty, verifier, weighted } from "../../../../gro/reward/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { onPolicy, onPolicyOptions } from "./on-policy.ts";

const optionsSchema = z.strictObject({
  ...onPolicyOptions(),
  reward: rewardPart.optional(),
  clipLow: z.number().min(0).max(1).default(0.8),
  clipHigh: z.number().min(1).default(1.28),
  /** Optimiser steps that a batch is divided into. */
  minibatches: z.number().int().min(1).default(4),
  /** Times that further items are tried where a group teaches nothing. */
  refill: z.number().int().min(1).default(3),
  /** Share of an item's token limit over which length is punished, more and more. */
  cache: z.number().positive().max(1).default(0.2),
});
export type DapoOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * DAPO (arXiv 2503.14476, equation 8): GRPO without a KL, with
 *
 *   clip-higher        min(ρA, clip(ρ, 1 − .2, 1 + .28)·A): what is unlikely may become likelier
 *   dynamic sampling   groups without a difference of reward are replaced by further items until the batch is full
 *   token mean         Σ_i Σ_t / Σ_i |o_i|
 *   overlong shaping   r = r_right + ½·r_length, the latter 0 down to −1 over the last fifth of the token limit
 *
 * The paper's right answers are +1 and its wrong ones −1 (equation 7), twice as far apart as the verifier's 1 and 0, so that a whole
 * length's penalty is half of what a right answer is worth: advantages, which are divided by a group's deviation, are the same, and
 * rewards stay on the scale of scores. The paper filters groups by correctness alone; here two right answers of which one is overlong are
 * a difference too. It has 512 items × 16 samples a batch, 16 steps of them, at 1e-6.
 *
 * Defaults: 32 items × 8 samples, 4 steps a batch, 3 refills, 10 batches a round at 3e-4.
 *
 * @example
 * dapo({ items: 32, samples: 16, cache: 0.2 })
 */
export function dapo(options: DapoOptions = {}): Method {
  const { reward = verifier(), cache, ...read } = readOptions("dapo()", optionsSchema, options);
  const { learningRate, optimizerState, minibatches, clipLow, clipHigh } = read;
  return onPolicy({
    name: "DAPO",
    ...read,
    reward: weighted({ right: { reward }, overlong: { reward: overlongPenalty({ cache }), weight: 0.5 } }),
    update: policyGradient({ loss: "ppo", learningRate, optimizerState, minibatches, clipLow, clipHigh }),
  });
}

export const dapoPage: MethodPage = {
  name: "dapo",
  title: "DAPO",
  paradigm: "reinforcement",
  reward: "external",
  summary:
    "GRPO with a higher upper clip, batches of groups that differ, every token weighing the same, and a soft limit of length.",
  formula:
    "J = E Σ_i Σ_t min(ρ A_i, clip(ρ, .8, 1.28) A_i) / Σ_i |o_i|,  0 < |{right}| < G,  r = r_right + ½ r_length",
  source: "arXiv 2503.14476, equations 7 to 13",
  checked: false,
  differs:
    "right and wrong are 1 and 0 with half the penalty of length, the paper's 1 and −1 with the whole, which makes the same advantages; groups are filtered by the summed reward, the paper's by correctness alone: two right answers of which one is overlong are a difference here",
  options: optionsSchema,
  make: dapo,
  vary: [
    ["dapo({ clipHigh: 1.2 })", "symmetric bounds: entropy falls faster"],
    ["dapo({ refill: 1 })", "less sampling, batches that may stay small"],
  ],
};
