import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { rewardPart, updatePart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { verifier } from "../../../../gro/reward/index.ts";
import { unpairedPreference } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { checkPreferring } from "../verification/preferring.ts";

const optionsSchema = z.strictObject({
  /** Attempts at each item. */
  samples: z.number().int().min(1).default(4),
  temperature: z.number().positive().default(1),
  reward: rewardPart.optional(),
  /** How it learns; by the loss of KTO if left out. */
  update: updatePart.optional(),
});
export type KtoOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * KTO on the model's own attempts (arXiv 2402.01306, equations 6 to 8): each is desirable or not by itself, no pairs are needed,
 *
 *   L(θ) = E of λ_D·(1 − σ(β(r − z₀))) where the reward is 1, of λ_U·(1 − σ(β(z₀ − r))) elsewhere,   r = log π_θ(y|x)/π_ref(y|x)
 *
 * with z₀ the KL of the policy from the reference, estimated from mismatched responses.
 *
 * Defaults: 4 samples at T = 1, the task's verifier, β = .1, λ_D = λ_U = 1, one epoch of 32 responses a step at 1e-4.
 *
 * @example
 * kto({ samples: 4, update: unpairedPreference({ undesirableWeight: 1.33 }) })
 */
export function kto(options: KtoOptions = {}): Method {
  const read = readOptions("kto()", optionsSchema, options);
  const { samples: count, temperature, reward = verifier(), update = unpairedPreference() } = read;
  checkPreferring("kto()", update);
  return gro({ name: "kto", generate: samples({ samples: count, temperature }), reward, update });
}

export const ktoPage: MethodPage = {
  name: "kto",
  title: "KTO",
  paradigm: "reinforcement",
  reward: "external",
  summary: "Attempts that are wanted become likelier than before, others less likely, each by itself.",
  formula:
    "L(θ) = E of λ_D·(1 − σ(β(r − z₀))) over wanted, λ_U·(1 − σ(β(z₀ − r))) over unwanted; r = log π_θ(y|x)/π_ref(y|x)",
  source: "arXiv 2402.01306, equations 6 to 8; compared with TRL's KTOTrainer (npm run bench:exact)",
  checked: true,
  options: optionsSchema,
  make: kto,
  vary: [
    [
      "kto({ update: unpairedPreference({ undesirableWeight: 1.33 }) })",
      "where wanted answers are fewer, or losses weigh more",
    ],
  ],
};
