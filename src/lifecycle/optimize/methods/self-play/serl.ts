import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { propose, samples } from "../../../../gro/generate/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { learnability, majority } from "../../../../gro/reward/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { madeWithin, makingItems } from "./made-items.ts";

const optionsSchema = z.strictObject({
  /** Proposals at each item of the round. */
  proposals: z.number().int().min(1).default(2),
  /** Attempts that say how hard a proposal is. */
  attempts: z.number().int().min(2).default(8),
  /** Shares of agreement between which a proposal is learnt from. */
  band: z
    .tuple([z.number().min(0).max(1), z.number().min(0).max(1)])
    .readonly()
    .default([0.2, 0.8]),
  items: z.number().int().min(1).default(32),
  samples: z.number().int().min(2).default(8),
  steps: z.number().int().min(2).default(10),
  learningRate: z.number().positive().default(3e-4),
});
export type SerlOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * SeRL (arXiv 2505.20347, section 3): the model writes more problems like the few that are given, those of middling difficulty that are
 * none of the known ones are kept, and it learns them with the majority of its own answers as the reward:
 *
 *   r(y_i) = 1[answer(y_i) = mode of answer(y_1 … y_n)],  on proposals x with share of agreement in [γ_low, γ_high]
 *
 * The proposer itself learns nothing. The paper drops near-duplicates by ROUGE-L; here a problem that is there already is one, by the
 * task's own identity.
 *
 * Defaults: 2 proposals an item, kept where .2 to .8 of 8 attempts agree, 10 steps of 32 items × 8 samples at 3e-4.
 *
 * @example
 * serl({ proposals: 4, band: [0.2, 0.8] })
 */
export function serl(options: SerlOptions = {}): Method {
  const read = readOptions("serl()", optionsSchema, options);
  const { attempts, band, items, steps, learningRate } = read;
  return {
    name: "SeRL",
    description: { ...read, band: band.join("–") },
    roles: ["solver"],
    lead: "solver",
    deliver: ["solver"],
    learnsBy: "policy-gradient",
    passes: [
      makingItems("solver", {
        generate: propose({ samples: read.proposals }),
        reward: learnability({ attempts, by: "majority", form: "middle" }),
      }),
      {
        roles: ["solver"],
        items,
        ...madeWithin(band[0], band[1]),
        generate: samples({ samples: read.samples }),
        reward: majority(),
        update: policyGradient({ learningRate }),
        repeat: steps,
        start: "current",
      },
    ],
  };
}

export const serlPage: MethodPage = {
  name: "serl",
  title: "SeRL",
  paradigm: "self-play",
  reward: "self-derived",
  summary:
    "The model writes more problems like those it was given, and learns those it half knows from its own majority.",
  formula: "r(y_i) = 1[answer(y_i) = mode of all answers], on its own proposals with agreement in [.2, .8]",
  source: "arXiv 2505.20347, section 3",
  checked: false,
  differs: "known problems are equal ones, the paper's are near-duplicates by ROUGE-L",
  options: optionsSchema,
  make: serl,
  vary: [
    [
      "serl({ band: [0, 1] })",
      "the control: proposals are learnt from however sure or noisy their answers are",
    ],
  ],
};
