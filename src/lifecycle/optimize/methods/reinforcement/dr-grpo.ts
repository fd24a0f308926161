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
  /** Tokens that every response is divided by; the task's longest if left out. */
  length: z.number().int().min(1).optional(),
});
export type DrGrpoOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Dr. GRPO, "GRPO done right" (arXiv 2503.20783, section 3.2): without the two divisions that bias GRPO, by the deviation of a group and
 * by each response's own length:
 *
 *   J(θ) = E [ (1/G) Σ_i Σ_t min(ρ_i,t A_i, clip(ρ_i,t) A_i) / L ],   A_i = r_i − mean r,   L a constant
 *
 * As it is, one step a batch, so that ratios are 1 and no clip is reached; with `overlap`, ratios are those to weights that lie one batch
 * back, and are clipped at .8 and 1.2.
 *
 * Defaults: as `grpo()`; L is the greatest token limit of the batch's items.
 *
 * @example
 * drGrpo({ items: 32, samples: 8 })
 */
export function drGrpo(options: DrGrpoOptions = {}): Method {
  const { reward = verifier(), length, ...read } = readOptions("drGrpo()", optionsSchema, options);
  const { learningRate, optimizerState } = read;
  const update = policyGradient({
    ...{ learningRate, optimizerState, divideByDeviation: false, average: "constant" },
    // One step on what the weights wrote themselves leaves all ratios at 1.
    ...(read.overlap ? { loss: "ppo" as const } : {}),
    ...(length === undefined ? {} : { length }),
  });
  return onPolicy({ name: "Dr. GRPO", ...read, reward, update });
}

export const drGrpoPage: MethodPage = {
  name: "dr-grpo",
  title: "Dr. GRPO",
  paradigm: "reinforcement",
  reward: "external",
  summary: "GRPO without dividing by a group's deviation or by a response's own length, which both bias it.",
  formula: "J = E (1/G) Σ_i Σ_t min(ρ_i,t A_i, clip(ρ_i,t) A_i) / L,  A_i = r_i − mean r within the group",
  source: "arXiv 2503.20783, section 3.2",
  checked: false,
  options: optionsSchema,
  make: drGrpo,
  vary: [["drGrpo({ length: 64 })", "another constant: a larger one is a smaller step"]],
};
