import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { debate, samples } from "../../../../gro/generate/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { consensus, labelled } from "../../../../gro/reward/index.ts";
import { policyGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { madeWithin, makingItems } from "./made-items.ts";

const optionsSchema = z.strictObject({
  agents: z.number().int().min(2).default(3),
  rounds: z.number().int().min(1).default(1),
  /** Items of a step, and attempts at each. */
  items: z.number().int().min(1).default(32),
  samples: z.number().int().min(2).default(8),
  steps: z.number().int().min(2).default(10),
  learningRate: z.number().positive().default(3e-4),
});
export type DteOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * DTE, "Debate, train, evolve" (arXiv 2505.15734, section 3): voices of one model debate without knowing the answer; what most of them
 * say at last becomes the label, and the model learns by GRPO to give it at once, without the debate:
 *
 *   ŷ(x) = mode of the last words of a debate;  r(y) = 1[answer(y) = ŷ(x)],  y ~ π_θ(·|x)
 *
 * Items whose last words are tied have no label and are left out. The paper also rewards form and punishes length; give
 * `grpo({ reward })` your own weights for these.
 *
 * Defaults: 3 voices, one round of revision, 10 steps of 32 items × 8 samples at 3e-4.
 *
 * @example
 * dte({ agents: 3, rounds: 2 })
 */
export function dte(options: DteOptions = {}): Method {
  const read = readOptions("dte()", optionsSchema, options);
  const agents = Array.from({ length: read.agents }, () => "solver");
  return {
    name: "DTE",
    description: read,
    roles: ["solver"],
    lead: "solver",
    deliver: ["solver"],
    learnsBy: "policy-gradient",
    passes: [
      makingItems("solver", { generate: debate({ agents, rounds: read.rounds }), reward: consensus() }),
      {
        roles: ["solver"],
        items: read.items,
        ...madeWithin(0, 1, "no debate ended with one answer that most voices gave"),
        generate: samples({ samples: read.samples }),
        reward: labelled(),
        update: policyGradient({ learningRate: read.learningRate }),
        repeat: read.steps,
        start: "current",
      },
    ],
  };
}

export const dtePage: MethodPage = {
  name: "dte",
  title: "DTE",
  paradigm: "self-play",
  reward: "self-derived",
  summary: "Voices of one model debate; it learns to say at once what most of them say at last.",
  formula: "ŷ(x) = mode of the last words of a debate;  r(y) = 1[answer(y) = ŷ(x)], by GRPO",
  source: "arXiv 2505.15734, section 3",
  checked: false,
  differs:
    "neither form nor length is rewarded, as the paper does; items whose last words are tied are left out",
  options: optionsSchema,
  make: dte,
  vary: [
    ["dte({ rounds: 3 })", "a longer debate: better labels where voices convince each other by reasons"],
  ],
};
