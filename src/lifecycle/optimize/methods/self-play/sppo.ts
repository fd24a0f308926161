import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { rewardPart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { winRate } from "../../../../gro/reward/index.ts";
import { preference } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";

const optionsSchema = z.strictObject({
  /** Attempts at each item: each plays against the others. */
  samples: z.number().int().min(2).default(5),
  temperature: z.number().positive().default(1),
  /** Who wins: a chance for each response, such as winRate() or pairwiseJudge() tell. */
  reward: rewardPart.optional(),
  eta: z.number().positive().default(1e3),
  epochs: z.number().positive().max(100).default(1),
  learningRate: z.number().positive().default(1e-4),
});
export type SppoOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * SPPO (arXiv 2405.00675, equation 4.5 and algorithm 1): attempts play against each other, and the log ratio of each to the weights before
 * is drawn towards η times its chance to win beyond one half:
 *
 *   L(θ) = E over the best and the worst attempt of (log π_θ(y)/π_t(y) − η·(P(y beats π_t) − ½))²
 *
 * Defaults: 5 samples at T = 1, chances by the task's verdicts, η = 1e3, one epoch at 1e-4 (the paper: 5e-7 at 7 billion parameters).
 *
 * @example
 * sppo({ samples: 5, reward: pairwiseJudge() })
 */
export function sppo(options: SppoOptions = {}): Method {
  const read = readOptions("sppo()", optionsSchema, options);
  const { temperature, reward = winRate(), eta, epochs, learningRate } = read;
  return gro({
    name: "sppo",
    generate: samples({ samples: read.samples, temperature }),
    reward,
    update: preference({ loss: { name: "sppo", eta }, epochs, learningRate }),
  });
}

export const sppoPage: MethodPage = {
  name: "sppo",
  title: "SPPO",
  paradigm: "self-play",
  reward: "external",
  summary: "Attempts play against each other; each one's log ratio is drawn towards its chance to win.",
  formula: "L(θ) = E (log π_θ(y)/π_t(y) − η·(P(y beats π_t) − ½))²",
  source: "arXiv 2405.00675, equation 4.5; pairs as in github.com/uclaml/SPPO (scripts/compute_prob.py)",
  checked: true,
  options: optionsSchema,
  make: sppo,
  vary: [
    ["sppo({ reward: pairwiseJudge() })", "no verifier: the model compares its own attempts"],
    [
      'sppo({ reward: winRate({ by: judge(), against: "start" }) })',
      "chances against answers of the weights before",
    ],
  ],
};
