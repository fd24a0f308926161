import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { rewardPart, updatePart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { verifier } from "../../../../gro/reward/index.ts";
import { preference } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { checkPreferring } from "../verification/preferring.ts";

const optionsSchema = z.strictObject({
  /** Attempts at each item. */
  samples: z.number().int().min(2).default(4),
  temperature: z.number().positive().default(1),
  reward: rewardPart.optional(),
  /** How it learns from pairs; by the loss of DPO if left out. */
  update: updatePart.optional(),
});
export type DpoOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * DPO on pairs of the model's own attempts (arXiv 2305.18290, equation 7): of each item the best attempt against the worst,
 *
 *   L(θ) = −E log σ(β·log π_θ(y⁺|x)/π_ref(y⁺|x) − β·log π_θ(y⁻|x)/π_ref(y⁻|x))
 *
 * with the weights that the round began with as π_ref. Items whose attempts are all as good teach nothing and are counted.
 *
 * Defaults: 4 samples at T = 1, the task's verifier, β = .1, one epoch of 32 pairs a step at 1e-4 (the paper: 1e-6 at 6 billion parameters).
 *
 * @example
 * dpo({ samples: 4, update: preference({ loss: { name: "ipo" } }) })
 */
export function dpo(options: DpoOptions = {}): Method {
  const read = readOptions("dpo()", optionsSchema, options);
  const { samples: count, temperature, reward = verifier(), update = preference() } = read;
  checkPreferring("dpo()", update);
  return gro({ name: "dpo", generate: samples({ samples: count, temperature }), reward, update });
}

export const dpoPage: MethodPage = {
  name: "dpo",
  title: "DPO",
  paradigm: "reinforcement",
  reward: "external",
  summary:
    "Of each item's attempts the best is to become likelier than the worst, measured against the weights before.",
  formula: "L(θ) = −E log σ(β·log π_θ(y⁺|x)/π_ref(y⁺|x) − β·log π_θ(y⁻|x)/π_ref(y⁻|x))",
  source: "arXiv 2305.18290, equation 7; compared with TRL's DPOTrainer (npm run bench:exact)",
  checked: true,
  options: optionsSchema,
  make: dpo,
  vary: [
    [
      'dpo({ update: preference({ loss: { name: "simpo" } }) })',
      "another loss of pairs: ipo, simpo, orpo or sppo",
    ],
    [
      'dpo({ update: preference({ pairs: "all", mostPairs: 10 }) })',
      "every better attempt against every worse one",
    ],
    ["dpo({ reward: judge() })", "no verifier: the model judges itself"],
  ],
};
