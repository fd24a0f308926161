import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { revisions, withHints } from "../../../../gro/generate/index.ts";
import { rewardPart } from "../../../../gro/method/index.ts";
import type { Method } from "../../../../gro/method.ts";
import { trajectories, verifier } from "../../../../gro/reward/index.ts";
import { supervised } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";

const optionsSchema = z.strictObject({
  /** Trajectories of each item: an attempt, a critique, a revision. */
  samples: z.number().int().min(1).default(2),
  temperature: z.number().positive().default(1),
  /** Further attempts with the answer in view, where every trajectory failed; 0 keeps the library as it is. */
  augmented: z.number().int().min(0).default(1),
  reward: rewardPart.optional(),
  steps: z.number().int().min(1).default(60),
  learningRate: z.number().positive().default(5e-4),
  /** Items whose successful trajectories the library holds; the newest. */
  most: z.number().int().min(1).default(4096),
});
export type SiriusOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * SiriuS (arXiv 2502.04780, algorithm 1, and its actor–critic setting): several agents, each with weights of its own, work on an item; an
 * experience library keeps what each of them said on the way to a right answer, over all rounds, and each is fine-tuned on its own part:
 *
 *   C_n ← C_n ∪ { (what n saw, what n said) in trajectories with R(answer) = 1 };   θ_n ← argmax_θ Σ over C_n of log π_θ(said | saw)
 *
 * Agents here are a solver, which attempts and revises, and a critic. Where every trajectory fails, the library is augmented: the solver
 * tries again with the answer in view, and what is right is kept as an answer to the item alone. (The paper's critic is shown the
 * answer, and its solver the feedback, which is then rephrased as if it had been right at once.) The solver's first answer is delivered.
 *
 * Defaults: 2 trajectories an item, 1 augmentation, 60 steps at 5e-4 for each agent, a library of 4096 items.
 *
 * @example
 * sirius({ samples: 4, augmented: 1 })
 */
export function sirius(options: SiriusOptions = {}): Method {
  const { reward = verifier(), ...read } = readOptions("sirius()", optionsSchema, options);
  const { samples, temperature, augmented, steps, learningRate, most } = read;
  const working = revisions({ samples, temperature, critique: true });
  const roles = ["solver", "critic"];
  return {
    name: "SiriuS",
    description: { ...read, reward: reward.name, ...reward.description },
    roles,
    alike: true,
    lead: "solver",
    deliver: roles,
    learnsBy: "imitation",
    passes: [
      {
        roles,
        writers: ["solver"],
        generate: augmented === 0 ? working : withHints({ first: working, hinted: augmented, temperature }),
        reward: trajectories({ by: reward }),
        update: supervised({ steps, learningRate, learnFrom: "own", replay: { newest: 1 } }),
        buffer: { name: "library", most, kept: true },
        repeat: 1,
        start: "current",
      },
    ],
  };
}

export const siriusPage: MethodPage = {
  name: "sirius",
  title: "SiriuS",
  paradigm: "self-play",
  reward: "external",
  summary:
    "A library keeps what each agent said on the way to right answers; failures are tried again with the answer in view.",
  formula:
    "C_n ← C_n ∪ {(saw, said) of n in trajectories with R = 1};  θ_n ← argmax Σ over C_n of log π_θ(said | saw)",
  source: "arXiv 2502.04780, algorithm 1, and zou-group/sirius Actor_Critic",
  checked: false,
  differs:
    "equal responses to an item are learnt once; a failure is augmented by trying again with the answer in view; the paper's critic sees the answer, and its feedback is rephrased",
  options: optionsSchema,
  make: sirius,
  vary: [
    ["sirius({ augmented: 0 })", "the library holds what succeeded by itself, and nothing else"],
    ["sirius({ most: 512 })", "a small library: the newest trajectories alone"],
  ],
};
