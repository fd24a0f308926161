import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { rewardPart, updatePart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { judge } from "../../../../gro/reward/index.ts";
import { preference } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { checkPreferring } from "./preferring.ts";

const optionsSchema = z.strictObject({
  /** Attempts at each item. */
  samples: z.number().int().min(2).default(4),
  temperature: z.number().positive().default(0.7),
  topP: z.number().positive().max(1).default(0.9),
  /** Who judges; the model itself, three times, if left out. */
  reward: rewardPart.optional(),
  update: updatePart.optional(),
});
export type SelfRewardingOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Self-rewarding language models (arXiv 2401.10020, section 2): the model judges its own attempts by points that add up, and learns by
 * iterated DPO that the best is better than the worst:
 *
 *   r(y) = mean of the model's own judgements of y,   L(θ) = −E log σ(β·log π_θ(y⁺)/π_t(y⁺) − β·log π_θ(y⁻)/π_t(y⁻))
 *
 * Items whose attempts are all judged alike give no pair. Its known failure is length: `update: preference({ lengthControl: 0.1 })`.
 *
 * Defaults: 4 samples at T = .7 and top-p .9, 3 judgements each, β = .1, one epoch at 1e-4 (the paper: 1e-6 at 70 billion parameters).
 *
 * @example
 * selfRewarding({ samples: 4, reward: judge({ judgements: 3 }) })
 */
export function selfRewarding(options: SelfRewardingOptions = {}): Method {
  const read = readOptions("selfRewarding()", optionsSchema, options);
  const { temperature, topP, reward = judge(), update = preference() } = read;
  checkPreferring("selfRewarding()", update);
  return gro({
    name: "self-rewarding",
    generate: samples({ samples: read.samples, temperature, topP }),
    reward,
    update,
  });
}

export const selfRewardingPage: MethodPage = {
  name: "self-rewarding",
  title: "Self-Rewarding",
  paradigm: "self-verification",
  reward: "self-derived",
  summary: "The model judges its own attempts, and learns that the best is better than the worst.",
  formula: "r(y) = mean of own judgements; L(θ) = −E log σ(β·log π_θ(y⁺)/π_t(y⁺) − β·log π_θ(y⁻)/π_t(y⁻))",
  source: "arXiv 2401.10020, section 2",
  checked: false,
  options: optionsSchema,
  make: selfRewarding,
  vary: [
    [
      'selfRewarding({ reward: judge({ model: chatEndpoint({ model: "gpt-4.1" }) }) })',
      "another model judges",
    ],
    [
      "selfRewarding({ update: preference({ lengthControl: 0.1 }) })",
      "of what is as good the shorter is chosen",
    ],
  ],
};
