import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { revisions } from "../../../../gro/generate/index.ts";
import { rewardPart, updatePart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { byTurn, judge } from "../../../../gro/reward/index.ts";
import { supervised } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { checkImitating } from "../rejection/imitating.ts";

const optionsSchema = z.strictObject({
  /** Attempts at each item, each criticised and revised once. */
  samples: z.number().int().min(1).default(1),
  temperature: z.number().positive().default(1),
  /** Who says whether a revision is good; the model itself if left out. */
  reward: rewardPart.optional(),
  /** Least judgement of a revision that is kept. */
  keepFrom: z.number().min(0).max(1).default(0.5),
  update: updatePart.optional(),
});
export type SelfOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * SELF (arXiv 2310.00533, section 3.2): answer, criticise the answer, revise it, keep the revision where the model itself finds it good,
 * and imitate it as the first answer:
 *
 *   θ ← argmin_θ E over items x, answers y, critiques c, revisions y′ ~ π_θ(·|x, y, c) with judgement(y′) ≥ τ of −log π_θ(y′|x)
 *
 * It learns first answers only, and forgets how to criticise and revise unless the rounds acquire demonstrations of both, which half of
 * every batch replays.
 *
 * Defaults: one attempt an item at T = 1, the model's own judgement of at least .5, 100 supervised steps with half of every batch replayed.
 *
 * @example
 * self({ samples: 2, keepFrom: 0.7 })
 */
export function self(options: SelfOptions = {}): Method {
  const read = readOptions("self()", optionsSchema, options);
  const { temperature, reward = judge(), keepFrom, update = supervised() } = read;
  checkImitating("self()", update);
  return gro({
    name: "self",
    generate: revisions({ samples: read.samples, temperature, critique: true, learn: "answer" }),
    reward: byTurn({ by: reward, turns: "last", keepFrom }),
    update,
  });
}

export const selfPage: MethodPage = {
  name: "self",
  title: "SELF",
  paradigm: "self-verification",
  reward: "self-derived",
  summary:
    "Answer, criticise, revise, keep what the model itself finds good, and imitate it as the first answer.",
  formula: "θ ← argmin E over x, y, c, y′ ~ π_θ(·|x, y, c) with judgement(y′) ≥ τ of −log π_θ(y′|x)",
  source: "arXiv 2310.00533, section 3.2",
  checked: false,
  differs: "equal revisions of an item are learnt once",
  options: optionsSchema,
  make: self,
  vary: [
    ["self({ reward: verifier(), keepFrom: 1 })", "revisions are checked by the task and not by the model"],
  ],
};
