import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { clusterFrequency } from "../../../../gro/reward/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { onPolicy, onPolicyOptions, overlapOption } from "./on-policy.ts";

const optionsSchema = z.strictObject({
  ...onPolicyOptions(),
  ...overlapOption,
  /** Items are learnt from whose answers have an entropy, in nats, between these; no upper bound if left out. */
  least: z.number().min(0).default(0),
  most: z.number().positive().optional(),
});
export type EmpoOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * EMPO (arXiv 2504.05812, section 3): GRPO whose reward is how many of an item's attempts mean the same:
 *
 *   r_i = |c(o_i)| / G,   A_i = (r_i − mean r) / std r;   so that H = −Σ_c p(c) log p(c) over meanings falls
 *
 * Unlike a vote, the second most frequent meaning is worth something too. It sharpens, as every reward from a model's own answers does.
 *
 * Defaults: 32 items × 8 samples, items of any entropy, 10 steps a round at 3e-4.
 *
 * @example
 * empo({ samples: 8, least: 0.1, most: 1.5 })
 */
export function empo(options: EmpoOptions = {}): Method {
  const { least, most, ...read } = readOptions("empo()", optionsSchema, options);
  const { learningRate, optimizerState } = read;
  const reward = clusterFrequency({ least, ...(most === undefined ? {} : { most }) });
  return onPolicy({
    name: "EMPO",
    ...read,
    reward,
    update: policyGradient({ learningRate, optimizerState }),
  });
}

export const empoPage: MethodPage = {
  name: "empo",
  title: "EMPO",
  paradigm: "reinforcement",
  reward: "self-derived",
  summary: "Each answer is worth the share of attempts that mean the same, so that meanings become fewer.",
  formula: "r_i = |c(o_i)| / G,  A_i = (r_i − mean r) / std r",
  source: "arXiv 2504.05812, section 3",
  checked: false,
  options: optionsSchema,
  make: empo,
  vary: [["empo({ most: 1.5 })", "leaves out items where no meaning stands out"]],
};
