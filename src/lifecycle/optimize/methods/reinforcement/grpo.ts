import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { rewardPart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { verifier } from "../../../../gro/reward/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";

import type { MethodPage } from "../../page.ts";

const optionsSchema = z.strictObject({
  /** Items of one step. */
  items: z.number().int().min(1).default(32),
  /** Attempts at each item: the group. */
  samples: z.number().int().min(2).default(8),
  temperature: z.number().positive().default(1),
  /** Steps in a round. */
  steps: z.number().int().min(1).default(10),
  learningRate: z.number().positive().default(3e-4),
  reward: rewardPart.optional(),
  divideByDeviation: z.boolean().default(true),
  /** `own`: the moments of these steps alone, those of a preparation are left behind; `fresh`: zero in each round. */
  optimizerState: z.enum(["own", "continued", "fresh"]).default("own"),
});
export type GrpoOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * GRPO (arXiv 2402.03300, section 4.1), on-policy and without the KL term, one step a batch, so that no clip is reached:
 *
 *   ∇J(θ) = E [ Σ_i Σ_t A_i ∇ log π_θ(o_i,t | x, o_i,<t) ] / Σ_i |o_i|,   A_i = (r_i − mean r) / std r over the group of x
 *
 * where the sums run over groups whose rewards differ: every token weighs the same (DAPO, arXiv 2503.14476).
 *
 * Defaults: 32 items × 8 samples at T = 1 a step, the task's verifier, 10 steps a round at 3e-4.
 *
 * @example
 * grpo({ items: 32, samples: 8, steps: 10, learningRate: 3e-4 })
 */
export function grpo(options: GrpoOptions = {}): Method {
  const read = readOptions("grpo()", optionsSchema, options);
  const { learningRate, divideByDeviation, optimizerState } = read;
  return gro({
    name: "grpo",
    generate: samples({ samples: read.samples, temperature: read.temperature }),
    reward: read.reward ?? verifier(),
    update: policyGradient({ learningRate, divideByDeviation, optimizerState }),
    items: read.items,
    repeat: read.steps,
  });
}

export const grpoPage: MethodPage = {
  name: "grpo",
  title: "GRPO",
  paradigm: "reinforcement",
  reward: "external",
  summary:
    "Several answers to each item; those above their group's mean become likelier, those below less likely.",
  formula: "∇J = E Σ_i Σ_t A_i ∇ log π(o_i,t) / Σ_i |o_i|,  A_i = (r_i − mean r) / std r within the group",
  source: "arXiv 2402.03300, section 4.1; token mean of arXiv 2503.14476",
  checked: true,
  make: grpo,
  vary: [
    ["grpo({ samples: 16 })", "larger groups: a quieter baseline, more sampling"],
    ["grpo({ divideByDeviation: false })", "centred rewards that keep their scale (Dr. GRPO)"],
    ["grpo({ reward: majority() })", "a vote in the place of the verifier (TTRL)"],
  ],
};
