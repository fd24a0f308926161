import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { greedy } from "../../../../gro/generate/index.ts";
import { generatePart, rewardPart, updatePart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { verifier } from "../../../../gro/reward/index.ts";
import { supervised } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { checkImitating } from "./imitating.ts";

const optionsSchema = z.strictObject({
  generate: generatePart.optional(),
  reward: rewardPart.optional(),
  update: updatePart.optional(),
  start: z.enum(["base", "current"]).default("current"),
});
export type RejectionSamplingOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Iterative rejection sampling (RFT, arXiv 2308.01825; ReST-EM, arXiv 2312.06585): answer, keep what the reward accepts,
 * imitate it, and go on from there:
 *
 *   θ ← argmin_θ E over items x, answers y ~ π_θ(·|x) with r(x, y) = 1 of −log π_θ(y|x)
 *
 * Defaults: one greedy answer an item, the task's verifier, 100 supervised steps with half of every batch replayed.
 *
 * @example
 * rejectionSampling({ generate: greedy(), reward: agreement({ peers: 2 }), update: supervised({ steps: 100 }) })
 */
export function rejectionSampling(options: RejectionSamplingOptions = {}): Method {
  const read = readOptions("rejectionSampling()", optionsSchema, options);
  const { generate = greedy(), reward = verifier(), update = supervised(), start } = read;
  checkImitating("rejectionSampling()", update);
  return gro({ name: "rejection sampling", generate, reward, update, start });
}

export const rejectionSamplingPage: MethodPage = {
  name: "rejection-sampling",
  title: "Iterative rejection sampling",
  paradigm: "rejection sampling",
  reward: "external",
  summary: "Answer, keep what the reward accepts, imitate it, and go on from there.",
  formula: "θ ← argmin E over x, y ~ π_θ(·|x) with r(x, y) = 1 of −log π_θ(y|x)",
  source: "arXiv 2308.01825, section 3.3; arXiv 2312.06585, section 3",
  checked: false,
  options: optionsSchema,
  make: rejectionSampling,
  vary: [
    ["rejectionSampling({ generate: samples({ samples: 8 }) })", "several answers an item, as RFT has it"],
    [
      "rejectionSampling({ reward: agreement({ peers: 2 }) })",
      "no verifier: what two models that were trained apart agree on",
    ],
    ['rejectionSampling({ start: "base" })', "every round from the base model, on all that this round kept"],
  ],
};
