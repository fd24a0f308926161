import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { rewardPart, updatePart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { distinct, verifier } from "../../../../gro/reward/index.ts";
import { supervised } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { checkImitating } from "./imitating.ts";

const optionsSchema = z.strictObject({
  samples: z.number().int().min(1).default(8),
  temperature: z.number().positive().default(1),
  reward: rewardPart.optional(),
  update: updatePart.optional(),
});
export type ExpertIterationOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Expert iteration (arXiv 1705.08439, algorithm 1; for language models arXiv 2403.04642, section 3): the policy with search is the
 * expert, here the best of several samples by the reward; the policy imitates it and goes on from there:
 *
 *   θ_t+1 = argmax_θ E over x, distinct y ~ π_θt(·|x) with r(x, y) = 1 of log π_θ(y|x), begun at θ_t, older rounds replayed
 *
 * Defaults: 8 samples at T = 1, 60 steps at 5e-4, half of each batch from this round.
 *
 * @example
 * expertIteration({ samples: 16 })
 */
export function expertIteration(options: ExpertIterationOptions = {}): Method {
  const read = readOptions("expertIteration()", optionsSchema, options);
  const { reward = verifier(), update = supervised({ steps: 60, learningRate: 5e-4 }) } = read;
  checkImitating("expertIteration()", update);
  return gro({
    name: "expert iteration",
    generate: samples({ samples: read.samples, temperature: read.temperature }),
    reward: distinct({ of: reward, by: "text" }),
    update,
  });
}

export const expertIterationPage: MethodPage = {
  name: "expert-iteration",
  title: "Expert iteration",
  paradigm: "rejection sampling",
  reward: "external",
  summary: "The best of several samples is the expert; the policy imitates it, round upon round.",
  formula: "θ_t+1 = argmax_θ E over x, distinct right y ~ π_θt(·|x) of log π_θ(y|x), begun at θ_t",
  source: "arXiv 1705.08439, algorithm 1; arXiv 2403.04642, section 3",
  checked: false,
  options: optionsSchema,
  make: expertIteration,
  vary: [["expertIteration({ samples: 32 })", "a stronger expert"]],
};
