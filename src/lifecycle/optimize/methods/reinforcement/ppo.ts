import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { rewardPart } from "../../../../gro/method/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { verifier, withBaseline } from "../../../../gro/reward/index.ts";
import { learnVerdicts, policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { onPolicyOptions } from "./on-policy.ts";

const optionsSchema = z.strictObject({
  ...onPolicyOptions({ items: 256, attempts: 1, least: 1 }),
  reward: rewardPart.optional(),
  /** Times that a batch is learnt from. */
  iterations: z.number().int().min(1).default(4),
  clip: z.number().positive().max(1).default(0.2),
  /** What a nat of KL from the weights with which the run began takes off a reward; 0 for nothing. */
  kl: z.number().min(0).default(0.05),
  /** Optimiser steps of the critic a batch. */
  criticSteps: z.number().int().min(1).default(4),
});
export type PpoOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * PPO (arXiv 1707.06347, equation 7) with a learned baseline that is a policy itself: a critic of its own weights, shown an item, answers
 * with a token whether it will be solved, and the advantage is the reward less the chance that it gives:
 *
 *   J(θ) = E [ min(ρ_t A, clip(ρ_t, 1 − ε, 1 + ε) A) ],   A = r − β Σ log π/π_ref − V_φ(x),   V_φ(x) = p_φ(yes|x) / (p_φ(yes|x) + p_φ(no|x))
 *
 * There is no value head: V is of the item, the same for all tokens of a response (λ = 1, γ = 1), and is taught by cross-entropy on the
 * rewards themselves, which must lie in [0, 1].
 *
 * Defaults: 256 items × 1 sample, 4 passes over a batch, ε = .2, β = .05, 4 steps of the critic, 10 batches a round at 3e-4.
 *
 * @example
 * ppo({ items: 256, iterations: 4, clip: 0.2 })
 */
export function ppo(options: PpoOptions = {}): Method {
  const { reward = verifier(), ...read } = readOptions("ppo()", optionsSchema, options);
  const { learningRate, optimizerState, iterations, clip, kl, criticSteps, items, steps } = read;
  const roles = ["solver", "critic"];
  const update = policyGradient({
    ...{ loss: "ppo", clipLow: 1 - clip, clipHigh: 1 + clip, advantages: "learned" },
    ...{ learningRate, optimizerState, iterations },
    ...(kl === 0 ? {} : { kl: { coefficient: kl, in: "reward" } }),
  });
  const critic = learnVerdicts({ of: "item", steps: criticSteps, batch: items * read.samples, learningRate });
  return {
    name: "PPO",
    description: { ...read, reward: reward.name, ...reward.description },
    roles,
    alike: true,
    lead: "solver",
    deliver: roles,
    learnsBy: "policy-gradient",
    passes: [
      {
        roles,
        writers: ["solver"],
        items,
        generate: samples({ samples: read.samples, temperature: read.temperature }),
        reward: withBaseline({ of: reward, role: "critic" }),
        update,
        updates: { critic },
        repeat: steps,
        start: "current",
      },
    ],
  };
}

export const ppoPage: MethodPage = {
  name: "ppo",
  title: "PPO with a learned baseline",
  paradigm: "reinforcement",
  reward: "external",
  summary:
    "A critic learns how likely each item is to be solved; answers that do better than that become likelier.",
  formula:
    "J = E min(ρ_t A, clip(ρ_t, 1 ± ε) A),  A = r − β Σ log π/π_ref − V_φ(x),  V_φ = p(yes|x) / (p(yes|x) + p(no|x))",
  source: "arXiv 1707.06347, equation 7; a policy in the place of a value head",
  checked: true,
  differs:
    "no value head: the critic is a policy that is asked of the item, so that all tokens of a response have one baseline (λ = 1, γ = 1)",
  options: optionsSchema,
  make: ppo,
  vary: [
    ["ppo({ iterations: 1 })", "one pass over each batch: no ratio leaves 1"],
    ["ppo({ criticSteps: 16 })", "a critic that follows faster"],
  ],
};
