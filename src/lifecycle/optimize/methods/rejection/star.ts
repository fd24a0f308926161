import { z } from "zod";
import { readOptions, userError } from "../../../../foundation/base/index.ts";
import { samples, withHints } from "../../../../gro/generate/index.ts";
import { generatePart, rewardPart, updatePart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { verifier } from "../../../../gro/reward/index.ts";
import { supervised } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { checkImitating } from "./imitating.ts";

const optionsSchema = z.strictObject({
  generate: generatePart.optional(),
  reward: rewardPart.optional(),
  update: updatePart.optional(),
  /** `base` as in the paper, so that errors of earlier rounds do not pile up, or `current`. */
  start: z.enum(["base", "current"]).default("base"),
  /** Show the answer where the first attempt failed: for tasks with words for a hint, and models that read messages. */
  rationalise: z.boolean().default(false),
});
export type StarOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * STaR (arXiv 2203.14465, algorithm 1; its line 5, rationalisation, when asked for): write out a rationale and an answer once at
 * T = 1, keep those whose answer is right, fine-tune on them with a fresh optimiser:
 *
 *   J(θ) = Σ_i E over (rationale, answer) ~ π_θ(·|x_i) of 1[answer = y_i] · log π_θ(rationale, answer | x_i)
 *
 * Defaults: one sample an item, the task's verifier, 60 steps at 5e-4 on what this round kept alone, from the base model; the
 * samples are written by the round's own weights.
 *
 * @example
 * star({ start: "current", rationalise: true })
 */
export function star(options: StarOptions = {}): Method {
  const read = readOptions("star()", optionsSchema, options);
  const {
    generate = read.rationalise ? withHints() : samples({ samples: 1 }),
    reward = verifier(),
    update = supervised({ steps: 60, learningRate: 5e-4, optimizerState: "fresh", replay: { newest: 1 } }),
    start,
  } = read;
  if (read.rationalise && read.generate !== undefined)
    throw userError(
      "invalid-option",
      "star(): rationalise writes for itself; give one of rationalise and generate, such as generate: withHints({ samples: 4 }).",
    );
  checkImitating("star()", update);
  return gro({ name: "star", generate, reward, update, start });
}

export const starPage: MethodPage = {
  name: "star",
  title: "STaR",
  paradigm: "rejection sampling",
  reward: "external",
  summary:
    "Write out a rationale and an answer, keep what ends in the right answer, fine-tune the base model on it.",
  formula:
    "J(θ) = Σ_i E over (rationale, answer) ~ π_θ(·|x_i) of 1[answer = y_i] · log π_θ(rationale, answer | x_i)",
  source: "arXiv 2203.14465, algorithm 1",
  checked: false,
  options: optionsSchema,
  make: star,
  vary: [
    ["star({ rationalise: true })", "the answer is shown where the first attempt failed"],
    ['star({ start: "current" })', "from the weights of the round before, in place of the base"],
    [
      "star({ reward: majority(), generate: samples({ samples: 8 }) })",
      "self-consistency in the place of known answers (LMSI)",
    ],
  ],
};
