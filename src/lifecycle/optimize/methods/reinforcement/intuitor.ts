import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { selfCertainty } from "../../../../gro/reward/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { onPolicy, onPolicyOptions, overlapOption } from "./on-policy.ts";

const optionsSchema = z.strictObject({
  ...onPolicyOptions({ learningRate: 3e-5 }),
  ...overlapOption,
  /** A nat of KL from the weights with which the run began, in the loss; 0 for nothing. */
  kl: z.number().min(0).default(0.005),
});
export type IntuitorOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Intuitor (arXiv 2505.19590, section 3): GRPO whose reward is how sure the model is of what it wrote:
 *
 *   r_i = (1/|o_i|) Σ_t KL(U ‖ p(· | x, o_i,<t)),   A_i = (r_i − mean r) / std r,   with a KL from the start in the loss
 *
 * Being sure is not being right: it sharpens what the model believes, and long runs are rewarded for saying what is easy to be sure of.
 *
 * Defaults: 32 items × 8 samples (the paper: 7), a KL of .005, 10 steps a round at 3e-5. At three times that rate a small
 * transformer was soon surest of tokens that it wrote after its answer, and lost what it knew.
 *
 * @example
 * intuitor({ kl: 0.005 })
 */
export function intuitor(options: IntuitorOptions = {}): Method {
  const { kl, ...read } = readOptions("intuitor()", optionsSchema, options);
  const { learningRate, optimizerState } = read;
  const update = policyGradient({
    learningRate,
    optimizerState,
    ...(kl === 0 ? {} : { kl: { coefficient: kl } }),
  });
  return onPolicy({ name: "Intuitor", ...read, reward: selfCertainty(), update });
}

export const intuitorPage: MethodPage = {
  name: "intuitor",
  title: "Intuitor",
  paradigm: "reinforcement",
  reward: "self-derived",
  summary: "Answers of which the model is surer than of its others to the same item become likelier.",
  formula: "r_i = (1/|o_i|) Σ_t KL(U ‖ p(·|x, o_i,<t)),  A_i = (r_i − mean r) / std r",
  source: "arXiv 2505.19590, section 3",
  checked: false,
  options: optionsSchema,
  make: intuitor,
  vary: [["intuitor({ kl: 0 })", "nothing holds it: surer, sooner, of whatever it says"]],
};
