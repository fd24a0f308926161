import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { rewardPart } from "../../../../gro/method/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { verifier } from "../../../../gro/reward/index.ts";
import { preference, supervised } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";

const optionsSchema = z.strictObject({
  /** Solutions of each item. */
  samples: z.number().int().min(2).default(8),
  temperature: z.number().positive().default(1),
  reward: rewardPart.optional(),
  /** Optimiser steps of the generator, and their learning rate. */
  steps: z.number().int().min(1).default(200),
  learningRate: z.number().positive().default(5e-4),
  /** Of the verifier's DPO: β, learning rate, passes over its pairs, and pairs of one item at most. */
  beta: z.number().positive().default(0.1),
  /** α, the weight of the right solution's own likelihood beside DPO, as in iterative RPO; 0 as in the paper. */
  likelihood: z.number().min(0).default(1),
  verifierLearningRate: z.number().positive().default(3e-4),
  epochs: z.number().positive().default(1),
  mostPairs: z.number().int().min(1).default(4),
  /** Items whose solutions, of all rounds, are kept to learn from; the newest. */
  most: z.number().int().min(1).default(4096),
});
export type VStarOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * V-STaR (arXiv 2402.06457, section 3): STaR throws wrong solutions away; here they teach a verifier. The generator imitates the right
 * solutions of all rounds; the verifier learns by DPO that right ones are likelier than wrong ones, and ranks candidates at inference:
 *
 *   G ← argmax_θ Σ over D with z = 1 of log π_θ(y|x)
 *   V ← argmin_φ −E over (x, y⁺, y⁻) of log σ(β·log V_φ(y⁺|x)/π_base(y⁺|x) − β·log V_φ(y⁻|x)/π_base(y⁻|x)) + α·log V_φ(y⁺|x)/|y⁺|
 *   answer(x) = argmax over y_1 … y_n ~ G(·|x) of log V(y|x)
 *
 * D holds the solutions of all rounds with their verdicts z. The paper has α = 0; DPO alone lets the likelihoods of both sink, and by
 * likelihood V ranks: on a small model that cost more than the pairs brought, so α is 1 here. Both begin anew at the base in every
 * round. Both are delivered: `refine: bestOfN({ samples: 8, by: "verifier" })` answers with both, and without it the generator answers
 * alone.
 *
 * Defaults: 8 solutions an item at T = 1 (the paper 16 at 0.7), 200 steps at 5e-4, DPO with β = .1 over 4 pairs an item at 3e-4,
 * 4096 items kept.
 *
 * @example
 * defineRun({ task: reverse(), optimize: vStar({ samples: 8 }), refine: bestOfN({ samples: 8, by: "verifier" }) })
 */
export function vStar(options: VStarOptions = {}): Method {
  const { reward = verifier(), ...read } = readOptions("vStar()", optionsSchema, options);
  const { samples: count, temperature, steps, learningRate, epochs, mostPairs, most } = read;
  const { beta, likelihood } = read;
  const roles = ["solver", "verifier"];
  const dpo = preference({
    loss: { name: "dpo", beta, likelihood },
    ...{ of: "solver", pairs: "all", mostPairs, reference: "base", epochs },
    ...{ learningRate: read.verifierLearningRate, optimizerState: "fresh" },
  });
  return {
    name: "V-STaR",
    description: { ...read, reward: reward.name, ...reward.description },
    roles,
    alike: true,
    lead: "solver",
    deliver: roles,
    learnsBy: "imitation",
    passes: [
      {
        roles,
        writers: ["solver"],
        generate: samples({ samples: count, temperature }),
        reward,
        update: supervised({ steps, learningRate, optimizerState: "fresh", replay: { newest: 1 } }),
        updates: { verifier: dpo },
        buffer: { name: "solutions", most },
        repeat: 1,
        start: "base",
      },
    ],
  };
}

export const vStarPage: MethodPage = {
  name: "v-star",
  title: "V-STaR",
  paradigm: "rejection sampling",
  reward: "external",
  summary:
    "Right solutions teach the generator, right against wrong ones a verifier, which ranks candidates at inference.",
  formula:
    "G ← argmax Σ over z = 1 of log π_θ(y|x);  V ← DPO (+ α·log V(y⁺|x)/|y⁺|) on (y⁺, y⁻) of all rounds;  answer = argmax over y ~ G of log V(y|x)",
  source: "arXiv 2402.06457, section 3",
  checked: false,
  differs:
    "equal responses to an item are learnt once; the verifier's loss has the right solution's likelihood beside DPO, the paper's has DPO alone (likelihood: 0)",
  options: optionsSchema,
  make: vStar,
  ranksBy: "verifier",
  vary: [
    ["vStar({ samples: 16 })", "more solutions: more of both kinds, and more pairs"],
    ["vStar({ likelihood: 0 })", "DPO alone, as in the paper: likelihoods may sink on both sides"],
    ["vStar({ most: 512 })", "only the newest solutions teach"],
  ],
};
