import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { voteShare } from "../../../../gro/reward/index.ts";
import { preference } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";

const optionsSchema = z.strictObject({
  /** Attempts at each item, that vote: k. */
  samples: z.number().int().min(2).default(8),
  temperature: z.number().positive().default(0.7),
  /** Least share of the votes of an answer that is chosen: τ. */
  least: z.number().min(0).max(1).default(0.5),
  beta: z.number().positive().default(0.5),
  alpha: z.number().min(0).default(1),
  learningRate: z.number().positive().default(1e-4),
});
export type ScpoOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Self-consistency preference optimisation (ScPO, arXiv 2411.04109, section 2): the answer with most votes against the one with fewest,
 * each pair weighing as much as the vote was clear:
 *
 *   L(θ) = −E w·[ log σ(β·log π_θ(y⁺)/π_t(y⁺) − β·log π_θ(y⁻)/π_t(y⁻)) + α·log π_θ(y⁺)/|y⁺| ],   w = (V(y⁺) − V(y⁻))/k
 *
 * No answer need be known. What most votes get wrong is learnt too: it ends at the initial majority.
 *
 * Defaults: 8 samples at T = .7, τ = half of the votes, β = .5, α = 1, one epoch at 1e-4.
 *
 * @example
 * scpo({ samples: 16, least: 0.5 })
 */
export function scpo(options: ScpoOptions = {}): Method {
  const read = readOptions("scpo()", optionsSchema, options);
  const { temperature, least, beta, alpha, learningRate } = read;
  return gro({
    name: "scpo",
    generate: samples({ samples: read.samples, temperature }),
    reward: voteShare(),
    update: preference({
      loss: { name: "dpo", beta, likelihood: alpha },
      weight: "difference",
      least,
      learningRate,
    }),
  });
}

export const scpoPage: MethodPage = {
  name: "scpo",
  title: "ScPO",
  paradigm: "self-verification",
  reward: "self-derived",
  summary: "The answer with most votes against the one with fewest, weighed by how clear the vote was.",
  formula:
    "L(θ) = −E w·[ log σ(β·log π_θ(y⁺)/π_t(y⁺) − β·log π_θ(y⁻)/π_t(y⁻)) + α·log π_θ(y⁺)/|y⁺| ], w = (V(y⁺) − V(y⁻))/k",
  source: "arXiv 2411.04109, section 2",
  checked: false,
  options: optionsSchema,
  make: scpo,
  vary: [["scpo({ least: 0.8 })", "only where nearly all agree: fewer pairs, of which more are right"]],
};
