import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { negativeEntropy } from "../../../../gro/reward/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { onPolicy, onPolicyOptions, overlapOption } from "./on-policy.ts";

const optionsSchema = z.strictObject({ ...onPolicyOptions({ learningRate: 3e-5 }), ...overlapOption });
export type RentOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * RENT (arXiv 2505.22660, section 3): GRPO whose reward is minus the mean entropy of the distributions that a response was drawn from:
 *
 *   r_i = −(1/|o_i|) Σ_t H(p(· | x, o_i,<t)),   A_i = (r_i − mean r) / std r
 *
 * As with every reward of being sure, what the model is wrong about and sure of is rewarded as well.
 *
 * Defaults: 32 items × 8 samples, 10 steps a round at 3e-5. At three times that rate a small
 * transformer was soon surest of tokens that it wrote after its answer, and lost what it knew.
 *
 * @example
 * rent({ steps: 10 })
 */
export function rent(options: RentOptions = {}): Method {
  const read = readOptions("rent()", optionsSchema, options);
  const { learningRate, optimizerState } = read;
  const update = policyGradient({ learningRate, optimizerState });
  return onPolicy({ name: "RENT", ...read, reward: negativeEntropy(), update });
}

export const rentPage: MethodPage = {
  name: "rent",
  title: "RENT",
  paradigm: "reinforcement",
  reward: "self-derived",
  summary:
    "Answers that were drawn from surer distributions become likelier: entropy itself is what is learnt from.",
  formula: "r_i = −(1/|o_i|) Σ_t H(p(·|x, o_i,<t)),  A_i = (r_i − mean r) / std r",
  source: "arXiv 2505.22660, section 3",
  checked: false,
  options: optionsSchema,
  make: rent,
  vary: [
    ["rent({ learningRate: 1e-5 })", "a slower loss of entropy"],
    ["rent({ learningRate: 1e-4 })", "a faster one, which ends in sure tokens that answer nothing"],
  ],
};
