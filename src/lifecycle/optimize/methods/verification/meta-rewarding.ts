import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { judge } from "../../../../gro/reward/index.ts";
import { preference } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";

const optionsSchema = z.strictObject({
  /** Attempts at each item. */
  samples: z.number().int().min(2).default(7),
  temperature: z.number().positive().default(0.8),
  /** Judgements of each attempt, which are then judged themselves. */
  judgements: z.number().int().min(2).default(5),
  /** Share of the range of rewards within which the shortest is chosen and the longest rejected: ρ. */
  lengthControl: z.number().min(0).max(0.5).default(0.1),
  beta: z.number().positive().default(0.1),
  learningRate: z.number().positive().default(1e-4),
});
export type MetaRewardingOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Meta-rewarding (arXiv 2407.19594, section 2): one model is actor, judge and judge of its judgements. Attempts are paired by their
 * judgements, with length controlled; judgements of one attempt are paired by how often each wins against the others in the model's own
 * eyes, in both orders; DPO learns from both kinds of pairs at once:
 *
 *   L(θ) = −E log σ(β·log π_θ(y⁺)/π_t(y⁺) − β·log π_θ(y⁻)/π_t(y⁻)) over pairs of answers, and of judgements
 *
 * Of the paper's Elo scores the win rates are left, and where a task asks for a verdict in one token, a verdict's reward is the share
 * that the judge itself gives to it.
 *
 * Defaults: 7 samples at T = .8, 5 judgements (the paper: 11), ρ = .1, β = .1, one epoch at 1e-4.
 *
 * @example
 * metaRewarding({ samples: 7, judgements: 5 })
 */
export function metaRewarding(options: MetaRewardingOptions = {}): Method {
  const read = readOptions("metaRewarding()", optionsSchema, options);
  const { temperature, judgements, lengthControl, beta, learningRate } = read;
  return gro({
    name: "meta-rewarding",
    generate: samples({ samples: read.samples, temperature }),
    reward: judge({ judgements, learn: true }),
    update: preference({ loss: { name: "dpo", beta }, lengthControl, learningRate }),
  });
}

export const metaRewardingPage: MethodPage = {
  name: "meta-rewarding",
  title: "Meta-Rewarding",
  paradigm: "self-verification",
  reward: "self-derived",
  summary: "The model judges its attempts and its judgements, and learns both to answer and to judge.",
  formula:
    "L(θ) = −E log σ(β·log π_θ(y⁺)/π_t(y⁺) − β·log π_θ(y⁻)/π_t(y⁻)) over pairs of answers, and of judgements",
  source: "arXiv 2407.19594, section 2; win rates in the place of Elo scores",
  checked: false,
  differs:
    "judgements are ranked by win rates, the paper's by Elo scores; a verdict in one token has as reward the share that the judge gives to it",
  options: optionsSchema,
  make: metaRewarding,
  vary: [["metaRewarding({ lengthControl: 0 })", "without length control: answers grow"]],
};
