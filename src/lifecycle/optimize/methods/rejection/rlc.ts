import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { judge } from "../../../../gro/reward/index.ts";
import { referenceWeights } from "../../../../gro/rollout/index.ts";
import type { MethodPage } from "../../page.ts";
import { onPolicyOptions } from "../reinforcement/on-policy.ts";
import { ppo } from "../reinforcement/ppo.ts";

const optionsSchema = z.strictObject({
  ...onPolicyOptions({ items: 256, attempts: 1, least: 1 }),
  /** Whose weights evaluate: those with which the run began its rounds, those of the pass, the champion's, or those that learn. */
  evaluator: z.enum([...referenceWeights.options, "current"]).default("base"),
  /** Judgements of an answer, for models that judge in words. */
  judgements: z.number().int().min(1).default(3),
  /** What a nat of KL from the weights with which the run began takes off a reward; 0 for nothing. */
  kl: z.number().min(0).default(0.05),
});
export type RlcOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * RLC, reinforcement learning contemplation (arXiv 2305.14483, section 4): a model finds it easier to evaluate an answer than to give
 * it, so it evaluates its own, and PPO makes likelier what it finds right. There are no labels:
 *
 *   θ ← argmax_θ E over x, y ~ π_θ(·|x) of r(x, y) − β·KL(π_θ ‖ π_base),   r(x, y) = p_M*(right | x, y)
 *
 * with M* the evaluator, which stands still by default: what learns cannot talk itself into being right. The baseline is a policy in
 * the place of a value head, as in `ppo()`.
 *
 * Defaults: 256 items × 1 sample, 4 passes over a batch, ε = .2, β = .05, 10 batches a round at 3e-4, evaluated by the base.
 *
 * @example
 * rlc({ evaluator: "current" })
 */
export function rlc(options: RlcOptions = {}): Method {
  const { evaluator, judgements, ...read } = readOptions("rlc()", optionsSchema, options);
  const reward = judge({ judgements, ...(evaluator === "current" ? {} : { frozen: evaluator }) });
  const method = ppo({ ...read, reward });
  return { ...method, name: "RLC", description: { ...method.description, evaluator } };
}

export const rlcPage: MethodPage = {
  name: "rlc",
  title: "RLC",
  paradigm: "rejection sampling",
  reward: "self-derived",
  summary: "The model evaluates its own answers, and PPO makes likelier what it finds right.",
  formula: "θ ← argmax E over y ~ π_θ(·|x) of p_M*(right | x, y) − β·KL(π_θ ‖ π_base), by PPO",
  source: "arXiv 2305.14483, section 4",
  checked: false,
  options: optionsSchema,
  make: rlc,
  vary: [
    ['rlc({ evaluator: "current" })', "what learns evaluates too: it can talk itself into being right"],
    ["rlc({ kl: 0 })", "nothing holds it near the base"],
  ],
};
