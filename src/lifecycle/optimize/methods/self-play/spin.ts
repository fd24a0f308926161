import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import type { Item } from "../../../../foundation/contract/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { ungraded } from "../../../../gro/reward/index.ts";
import { preference } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";

const optionsSchema = z.strictObject({
  /** Demonstrated items of a round at most; all of them if left out. */
  items: z.number().int().min(1).optional(),
  temperature: z.number().positive().default(1),
  beta: z.number().positive().default(0.1),
  epochs: z.number().positive().max(100).default(2),
  learningRate: z.number().positive().default(1e-4),
});
export type SpinOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * SPIN (arXiv 2401.01335, equation 4.7): the weights play against those of the round before. What someone demonstrated is to become
 * likelier than what the weights before answer to the same:
 *
 *   L(θ) = E log(1 + exp(−λ·[log π_θ(y)/π_t(y) − log π_θ(y′)/π_t(y′)])),   y demonstrated, y′ ~ π_t(·|x)
 *
 * It ends where the model answers as the demonstrations do, and no later: nothing beyond them is learnt. It needs
 * `acquire: [demonstrations()]`, and no reward.
 *
 * Defaults: one answer to each demonstrated item at T = 1, λ = .1, 2 epochs at 1e-4 (the paper: 5e-7 at 7 billion parameters).
 *
 * @example
 * spin({ beta: 0.1, epochs: 2 })
 */
export function spin(options: SpinOptions = {}): Method {
  const read = readOptions("spin()", optionsSchema, options);
  const { items, temperature, beta, epochs, learningRate } = read;
  const method = gro({
    name: "spin",
    generate: samples({ samples: 1, temperature }),
    reward: ungraded(),
    update: preference({ loss: { name: "dpo", beta }, pairs: "demonstration", epochs, learningRate }),
    ...(items === undefined ? {} : { items }),
  });
  const passes = method.passes.map((pass) => ({
    ...pass,
    needsDemonstrations: true as const,
    noItems: "nothing was demonstrated to it in this round",
    itemsFrom: (_: unknown, __: unknown, demonstrated: readonly Item[]) => [
      ...new Map(demonstrated.map((item) => [item.canonical, item])).values(),
    ],
  }));
  return { ...method, passes };
}

export const spinPage: MethodPage = {
  name: "spin",
  title: "SPIN",
  paradigm: "self-play",
  reward: "none",
  summary: "What was demonstrated becomes likelier than what the weights of the round before answer.",
  formula:
    "L(θ) = E log(1 + exp(−λ·[log π_θ(y)/π_t(y) − log π_θ(y′)/π_t(y′)])), y demonstrated, y′ ~ π_t(·|x)",
  source: "arXiv 2401.01335, equation 4.7; github.com/uclaml/SPIN",
  checked: false,
  options: optionsSchema,
  make: spin,
  vary: [
    ["spin({ beta: 5 })", "the last iterations of the paper, where answers are near the demonstrations"],
  ],
};
