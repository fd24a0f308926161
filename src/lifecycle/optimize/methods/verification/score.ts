import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { revisions } from "../../../../gro/generate/index.ts";
import { rewardPart } from "../../../../gro/method/index.ts";
import type { Method, Pass } from "../../../../gro/method.ts";
import { byTurn, verifier } from "../../../../gro/reward/index.ts";
import { turnGradient } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";

const optionsSchema = z.strictObject({
  /** Items of one step. */
  items: z.number().int().min(1).default(32),
  /** Attempts at each item, each revised once. */
  samples: z.number().int().min(2).default(4),
  temperature: z.number().positive().default(1),
  /** Steps of the two stages in a round. */
  stages: z.tuple([z.number().int().min(1), z.number().int().min(1)]).default([10, 10]),
  /** Weight of the first stage's KL on the first turn: β₂. */
  firstKl: z.number().min(0).default(0.1),
  /** Weight of the second stage's KL on every turn: β₁. */
  kl: z.number().min(0).default(0.01),
  /** Weight of getting better: α. */
  bonus: z.number().min(0).default(10),
  learningRate: z.number().positive().default(3e-4),
  reward: rewardPart.optional(),
});
export type ScoreMethodOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * SCoRe (arXiv 2409.12917, section 5): two stages of policy gradient on an attempt and its revision. The first teaches the revision alone
 * and pins the attempt to the base model; the second teaches both, with a bonus for getting better:
 *
 *   stage 1: max E [ r(y₂) − β₂·KL(π_θ(·|x) ‖ π_base(·|x)) ]
 *   stage 2: max E [ r(y₁) + r(y₂) + α·(r(y₂) − r(y₁)) − β₁·Σ KL ]
 *
 * Each turn is credited with its own reward alone, against the mean of the others' at that turn (leave one out).
 *
 * Defaults: 32 items × 4 attempts a step, 10 steps a stage at 3e-4, β₂ = .1, β₁ = .01, α = 10 (as the paper's for MATH).
 *
 * @example
 * score({ items: 32, samples: 4, stages: [10, 10] })
 */
export function score(options: ScoreMethodOptions = {}): Method {
  const read = readOptions("score()", optionsSchema, options);
  const { items, samples, temperature, stages, firstKl, kl, bonus, learningRate, reward = verifier() } = read;
  const generate = revisions({ samples, temperature });
  const stage = (repeat: number, shaped: Pass["reward"], update: Pass["update"]): Pass => ({
    roles: ["solver"],
    items,
    generate,
    reward: shaped,
    update,
    repeat,
    start: "current",
  });
  const passes = [
    stage(
      stages[0],
      byTurn({ by: reward }),
      turnGradient({ kl: [firstKl, 0], taught: "last", learningRate }),
    ),
    stage(stages[1], byTurn({ by: reward, bonus }), turnGradient({ kl: [kl], learningRate })),
  ];
  const described = passes.map((pass) => ({
    generate: { part: pass.generate.name, ...pass.generate.description },
    reward: { part: pass.reward.name, ...pass.reward.description },
    update: { part: pass.update.name, ...pass.update.description },
    items,
    repeat: pass.repeat,
  }));
  return {
    name: "score",
    description: { passes: described },
    roles: ["solver"],
    passes,
    lead: "solver",
    deliver: ["solver"],
    learnsBy: "policy-gradient",
  };
}

export const scorePage: MethodPage = {
  name: "score",
  title: "SCoRe",
  paradigm: "self-verification",
  reward: "external",
  summary:
    "First learn to revise with the first attempt held in place, then both, with a bonus for getting better.",
  formula:
    "1: max E [ r(y₂) − β₂·KL(π_θ(·|x) ‖ π_base(·|x)) ]; 2: max E [ r(y₁) + r(y₂) + α·(r(y₂) − r(y₁)) − β₁·Σ KL ]",
  source: "arXiv 2409.12917, section 5, equations 3 and 4",
  checked: false,
  differs:
    "groups in which no turn's rewards differ are skipped, their KL with them; each turn is credited with its own reward alone",
  options: optionsSchema,
  make: score,
  vary: [
    ["score({ bonus: 0 })", "plain two-turn reinforcement: it collapses to answering once"],
    ["score({ firstKl: 0 })", "nothing holds the first attempt in stage one"],
  ],
};
