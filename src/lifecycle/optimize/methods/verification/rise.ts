import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { revisions } from "../../../../gro/generate/index.ts";
import { rewardPart, updatePart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { byTurn, verifier } from "../../../../gro/reward/index.ts";
import { rewardWeighted } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";

const optionsSchema = z.strictObject({
  /** First attempts at each item. */
  samples: z.number().int().min(1).default(2),
  /** Attempts in each later turn, of which the best is learnt from. */
  revisions: z.number().int().min(1).default(4),
  turns: z.number().int().min(2).max(8).default(2),
  temperature: z.number().positive().default(1),
  reward: rewardPart.optional(),
  update: updatePart.optional(),
});
export type RiseOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * RISE (arXiv 2407.18219, section 4): after an attempt of its own the model tries again; of each turn's attempts the best is imitated, as
 * much as its reward says (self-distillation by best of n, reward-weighted regression):
 *
 *   θ ← argmin_θ −E over turns t of exp(r(y_t)/τ)·log π_θ(y_t | x, y_<t)
 *
 * Defaults: 2 first attempts, 4 second ones of each, the task's verifier, τ = .4 as in the authors' code, one epoch at 1e-3.
 *
 * @example
 * rise({ samples: 2, revisions: 4, turns: 2 })
 */
export function rise(options: RiseOptions = {}): Method {
  const read = readOptions("rise()", optionsSchema, options);
  const { samples, turns, temperature } = read;
  const { reward = verifier(), update = rewardWeighted({ mostPerPrompt: 1 }) } = read;
  return gro({
    name: "rise",
    generate: revisions({ samples, revisions: read.revisions, turns, temperature }),
    reward: byTurn({ by: reward }),
    update,
  });
}

export const risePage: MethodPage = {
  name: "rise",
  title: "RISE",
  paradigm: "self-verification",
  reward: "external",
  summary:
    "Try again after an attempt of its own; of each turn the best is imitated as much as its reward says.",
  formula: "θ ← argmin −E over turns t of exp(r(y_t)/τ)·log π_θ(y_t | x, y_<t)",
  source: "arXiv 2407.18219, section 4; weights and τ as in github.com/cmu-mind/RISE",
  checked: true,
  differs: "prompts without a reward above 0 are skipped; the paper gives them the least weight",
  options: optionsSchema,
  make: rise,
  vary: [
    [
      "rise({ update: rewardWeighted({ temperature: 1 }) })",
      "every attempt of a turn, and worse ones count for more",
    ],
    ["rise({ reward: majority() })", "votes in the place of known answers"],
  ],
};
