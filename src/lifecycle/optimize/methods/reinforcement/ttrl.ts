import { z } from "zod";
import { readOptions, userError } from "../../../../foundation/base/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { majority } from "../../../../gro/reward/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { onPolicy, onPolicyOptions, overlapOption } from "./on-policy.ts";

const optionsSchema = z.strictObject({
  ...onPolicyOptions({ items: 8, attempts: 64 }),
  ...overlapOption,
  /** Of an item's attempts, all of which vote, the first so many are trained; all, where fewer vote. */
  trained: z.number().int().min(2).default(32),
});
export type TtrlOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * TTRL (arXiv 2504.16084, section 2): nobody knows the answer, so the majority of the model's own votes stands for it, and GRPO follows:
 *
 *   r_i = 1[answer(y_i) = ŷ],   ŷ = mode of answer(y_1) … answer(y_M),   A_i = (r_i − mean r) / std r over the trained ones
 *
 * On a tie nobody is rewarded, so that such an item teaches nothing. It approaches the majority that there was, and no more: a majority
 * that is wrong is learnt like one that is right, and in the end every sample agrees (the guard `majorityLockIn()` watches for it).
 *
 * Defaults: 8 items × 64 votes at T = 1, of which 32 are trained, 10 steps a round at 3e-4 (the paper: 5e-7).
 *
 * @example
 * ttrl({ samples: 64, trained: 32 })
 */
export function ttrl(options: TtrlOptions = {}): Method {
  const { trained, ...read } = readOptions("ttrl()", optionsSchema, options);
  const { learningRate, optimizerState } = read;
  if ((options.trained ?? 0) > read.samples)
    throw userError(
      "invalid-option",
      `ttrl(): trained is ${trained}, and only ${read.samples} attempts vote on an item: let no fewer vote (samples), or train at most so many.`,
    );
  const update = policyGradient({ learningRate, optimizerState, trained: Math.min(trained, read.samples) });
  return onPolicy({ name: "TTRL", ...read, reward: majority(), update });
}

export const ttrlPage: MethodPage = {
  name: "ttrl",
  title: "TTRL",
  paradigm: "reinforcement",
  reward: "self-derived",
  summary:
    "The majority of the model's own answers stands for the one that nobody knows, and GRPO follows; on a tie nobody is rewarded.",
  formula: "r_i = 1[answer(y_i) = mode of M answers],  A_i = (r_i − mean r) / std r over the N trained of M",
  source: "arXiv 2504.16084, section 2; votes and trained ones as in its code",
  checked: true,
  differs: "on a tie nobody is rewarded",
  options: optionsSchema,
  make: ttrl,
  vary: [
    [
      "ttrl({ samples: 16, trained: 16, items: 32 })",
      "fewer votes on more items: less sampling, more wrong labels",
    ],
  ],
};
