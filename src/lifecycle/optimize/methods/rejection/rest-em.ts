import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { rewardPart, updatePart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { distinct, verifier } from "../../../../gro/reward/index.ts";
import { supervised } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { checkImitating } from "./imitating.ts";

const optionsSchema = z.strictObject({
  /** Attempts at each item: the E-step. */
  samples: z.number().int().min(1).default(32),
  /** Most right answers that are learnt from at each item, so that easy ones do not crowd out the rest. */
  perItem: z.number().int().min(1).default(10),
  temperature: z.number().positive().default(0.7),
  reward: rewardPart.optional(),
  update: updatePart.optional(),
});
export type RestEmOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * ReST-EM (arXiv 2312.06585, algorithm 1): expectation–maximisation for reinforcement learning. E: many samples of the round's
 * weights, weighed by a reward of 0 or 1; M: fine-tune the *base* model on what was right:
 *
 *   θ_t+1 = argmax_θ E over x, distinct y ~ π_θt(·|x) of r(x, y) · log π_θ(y|x), begun at θ_0
 *
 * The paper's expectation has an answer as often as it was sampled, up to ten right ones an item (after STaR); here equal responses to
 * an item are learnt once, and are one of the ten.
 *
 * Defaults: 32 samples at T = .7, at most 10 right ones an item, 60 steps at 5e-4 with a fresh optimiser.
 *
 * @example
 * restEm({ samples: 8, perItem: 4 })
 */
export function restEm(options: RestEmOptions = {}): Method {
  const read = readOptions("restEm()", optionsSchema, options);
  const {
    reward = verifier(),
    update = supervised({ steps: 60, learningRate: 5e-4, optimizerState: "fresh", replay: { newest: 1 } }),
  } = read;
  checkImitating("restEm()", update);
  return gro({
    name: "ReST-EM",
    generate: samples({ samples: read.samples, temperature: read.temperature }),
    reward: distinct({ of: reward, by: "text", perItem: read.perItem }),
    update,
    start: "base",
  });
}

export const restEmPage: MethodPage = {
  name: "rest-em",
  title: "ReST-EM",
  paradigm: "rejection sampling",
  reward: "external",
  summary:
    "Sample many answers, keep a few right ones an item, fine-tune the base model on them; two or three rounds.",
  formula: "θ_t+1 = argmax_θ E over x, distinct y ~ π_θt(·|x) of r(x, y) · log π_θ(y|x), begun at θ_0",
  source: "arXiv 2312.06585, algorithm 1",
  checked: false,
  differs:
    "equal responses to an item are learnt once and count once among its ten, the paper's as often as they were sampled",
  options: optionsSchema,
  make: restEm,
  vary: [
    ["restEm({ samples: 64 })", "more answers at hard items"],
    ["restEm({ reward: majority() })", "a vote in the place of the verifier"],
  ],
};
