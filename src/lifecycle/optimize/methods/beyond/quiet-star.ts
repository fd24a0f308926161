import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { continuationGain } from "../../../../gro/reward/index.ts";
import { thoughtGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";

const optionsSchema = z.strictObject({
  /** Items of each step. */
  items: z.number().int().min(1).default(32),
  /** Thoughts at each item. */
  samples: z.number().int().min(2).default(8),
  temperature: z.number().positive().default(1),
  steps: z.number().int().min(2).default(10),
  /** λ: what the likelihood of the true answers weighs. */
  likelihood: z.number().min(0).default(1),
  learningRate: z.number().positive().default(3e-4),
});
export type QuietStarOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * The core of Quiet-STaR (arXiv 2403.09629, section 4.4): what the model writes before an answer is a thought, and a thought is worth how
 * much likelier it makes the true answer than the other thoughts at the same item do:
 *
 *   r_j = log p(y | x, t_j) − mean_i log p(y | x, t_i)
 *   loss = −Σ_j r_j·log π(t_j | x) / Σ|t_j| − λ·Σ_j log π(y | x, t_j) / Σ|y_j|,   sums over thoughts with r_j > 0
 *
 * Left out, because an engine that speaks token ids has no place for it (docs/decisions/016-quiet-star.md): thoughts after every token of a
 * text, the head that mixes predictions with and without the thought, and learnt embeddings for its start and end. Items need a
 * reference answer; no verifier is asked.
 *
 * Defaults: 10 steps of 32 items × 8 thoughts at 3e-4, λ = 1 (its code: 2 thoughts of 12 tokens after each token, at 1e-6). The
 * paper learns the true text after every thought, where the mixing head says how much of the thought is heard; without it a small model
 * that is taught the true answer after wrong thoughts unlearns to reason, so here it learns it after those that helped.
 *
 * @example
 * quietStar({ samples: 4, likelihood: 0.5 })
 */
export function quietStar(options: QuietStarOptions = {}): Method {
  const read = readOptions("quietStar()", optionsSchema, options);
  const { items, temperature, steps, likelihood, learningRate } = read;
  return gro({
    name: "Quiet-STaR",
    generate: samples({ samples: read.samples, temperature }),
    reward: continuationGain(),
    update: thoughtGradient({ likelihood, learningRate }),
    items,
    repeat: steps,
  });
}

export const quietStarPage: MethodPage = {
  name: "quiet-star",
  title: "Quiet-STaR",
  paradigm: "beyond",
  reward: "external",
  summary:
    "What stands before an answer is a thought, worth how much likelier it makes the true answer; the mixing head and thoughts at every token are left out.",
  formula:
    "r_j = log p(y | x, t_j) − mean_i log p(y | x, t_i);  loss = −Σ r_j·log π(t_j | x) − λ·Σ log π(y | x, t_j) over thoughts with r_j > 0",
  source: "arXiv 2403.09629, section 4.4; reward as in github.com/ezelikman/quiet-star (modeling_mistral.py)",
  checked: true,
  differs:
    "one thought before an answer, without mixing head or learnt tokens; the true answer is learnt after thoughts that helped alone",
  options: optionsSchema,
  make: quietStar,
  vary: [
    ["quietStar({ likelihood: 0 })", "thoughts alone are learnt, not the answers after them"],
    ["quietStar({ samples: 16 })", "a surer mean to compare with"],
  ],
};
