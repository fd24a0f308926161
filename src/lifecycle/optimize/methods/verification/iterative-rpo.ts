import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { rewardPart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { verifier } from "../../../../gro/reward/index.ts";
import { preference } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";

const optionsSchema = z.strictObject({
  /** Attempts at each item. */
  samples: z.number().int().min(2).default(8),
  temperature: z.number().positive().default(0.8),
  /** Pairs of one item at most. */
  pairs: z.number().int().min(1).default(10),
  beta: z.number().positive().default(0.1),
  /** Weight of the chosen answer's likelihood. */
  alpha: z.number().min(0).default(1),
  learningRate: z.number().positive().default(1e-4),
  reward: rewardPart.optional(),
});
export type IterativeRpoOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Iterative reasoning preference optimisation (arXiv 2404.19733, section 2 and equation 1): every right attempt against every wrong one,
 * drawn to K pairs an item, with the likelihood of the right one beside the preference, so that it does not fall with the wrong one's:
 *
 *   L(θ) = −E [ log σ(β·log π_θ(y⁺)/π_t(y⁺) − β·log π_θ(y⁻)/π_t(y⁻)) + α·log π_θ(y⁺)/|y⁺| ]
 *
 * Defaults: 8 samples at T = .8 (the paper: 30), K = 10, β = .1, α = 1, one epoch at 1e-4 (the paper: 7e-7 at 70 billion parameters).
 *
 * @example
 * iterativeRpo({ samples: 8, alpha: 1 })
 */
export function iterativeRpo(options: IterativeRpoOptions = {}): Method {
  const read = readOptions("iterativeRpo()", optionsSchema, options);
  const { temperature, beta, alpha, learningRate, reward = verifier() } = read;
  return gro({
    name: "iterative rpo",
    generate: samples({ samples: read.samples, temperature }),
    reward,
    update: preference({
      loss: { name: "dpo", beta, likelihood: alpha },
      pairs: "all",
      mostPairs: read.pairs,
      learningRate,
    }),
  });
}

export const iterativeRpoPage: MethodPage = {
  name: "iterative-rpo",
  title: "Iterative RPO",
  paradigm: "self-verification",
  reward: "external",
  summary: "Right attempts against wrong ones by DPO, with the likelihood of the right ones beside it.",
  formula: "L(θ) = −E [ log σ(β·log π_θ(y⁺)/π_t(y⁺) − β·log π_θ(y⁻)/π_t(y⁻)) + α·log π_θ(y⁺)/|y⁺| ]",
  source: "arXiv 2404.19733, equation 1",
  checked: false,
  options: optionsSchema,
  make: iterativeRpo,
  vary: [
    ["iterativeRpo({ alpha: 0 })", "plain DPO on the same pairs: the likelihood of right answers may fall"],
    ["iterativeRpo({ reward: majority() })", "votes in the place of known answers"],
  ],
};
