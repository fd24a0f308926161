import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { rewardPart } from "../../../../gro/method/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { verifier } from "../../../../gro/reward/index.ts";
import { klSchema, policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { onPolicy, onPolicyOptions, overlapOption } from "./on-policy.ts";

const optionsSchema = z.strictObject({
  ...onPolicyOptions(),
  ...overlapOption,
  reward: rewardPart.optional(),
  divideByDeviation: z.boolean().default(true),
  /** Times that a batch is learnt from, and parts of it that are a step each; with more than one step ratios are clipped. */
  iterations: z.number().int().min(1).default(1),
  minibatches: z.number().int().min(1).default(1),
  /** Bounds of the ratio where it is clipped. */
  clipLow: z.number().min(0).max(1).default(0.8),
  clipHigh: z.number().min(1).default(1.2),
  /** Tokens weigh the same, or responses, as the paper has it. */
  average: z.enum(["tokens", "responses"]).default("tokens"),
  /** A KL from earlier weights, in the loss as the paper has it; none if left out. */
  kl: klSchema.optional(),
});
export type GrpoOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * GRPO (arXiv 2402.03300, section 4.1):
 *
 *   J(θ) = E [ Σ_i Σ_t min(ρ_i,t A_i, clip(ρ_i,t) A_i) / Σ_i |o_i| ],   A_i = (r_i − mean r) / std r over the group of x
 *
 * with ρ the ratio to the policy that sampled. As it is, one step a batch, so that ratios are 1 and no clip is reached, without the KL
 * term, and every token weighing the same (DAPO, arXiv 2503.14476). Groups whose rewards are equal add nothing to the sum above and are
 * not computed; their tokens count below it. The paper's own averages each response by itself and has a KL of .04, `average:
 * "responses", kl: { coefficient: 0.04 }`, which here leaves these groups alone.
 *
 * Defaults: 32 items × 8 samples at T = 1 a step, the task's verifier, 10 steps a round at 3e-4.
 *
 * @example
 * grpo({ items: 32, samples: 8, steps: 10, learningRate: 3e-4 })
 */
export function grpo(options: GrpoOptions = {}): Method {
  const { reward = verifier(), ...read } = readOptions("grpo()", optionsSchema, options);
  const { learningRate, divideByDeviation, optimizerState, iterations, minibatches, average, kl } = read;
  const { clipLow, clipHigh } = read;
  const clipped =
    iterations * minibatches > 1 || read.overlap ? { loss: "ppo" as const, clipLow, clipHigh } : {};
  const update = policyGradient({
    ...{ learningRate, divideByDeviation, optimizerState, iterations, minibatches, average },
    ...clipped,
    ...(kl === undefined ? {} : { kl }),
  });
  return onPolicy({ name: "grpo", ...read, reward, update });
}

export const grpoPage: MethodPage = {
  name: "grpo",
  title: "GRPO",
  paradigm: "reinforcement",
  reward: "external",
  summary:
    "Several answers to each item; those above their group's mean become likelier, those below less likely.",
  formula:
    "J = E Σ_i Σ_t min(ρ_i,t A_i, clip(ρ_i,t) A_i) / Σ_i |o_i|,  A_i = (r_i − mean r) / std r within the group",
  source: "arXiv 2402.03300, section 4.1; token mean of arXiv 2503.14476",
  checked: true,
  differs:
    "as it is every token weighs the same and there is no KL (vary); a KL in the loss is not taken of groups whose rewards are equal",
  options: optionsSchema,
  make: grpo,
  vary: [
    ["grpo({ samples: 16 })", "larger groups: a quieter baseline, more sampling"],
    ['grpo({ average: "responses", kl: { coefficient: 0.04 }, minibatches: 2 })', "as the paper writes it"],
    ["grpo({ divideByDeviation: false })", "centred rewards that keep their scale, as Dr. GRPO has it"],
  ],
};
