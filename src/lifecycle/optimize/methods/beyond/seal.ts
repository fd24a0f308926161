import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { edits } from "../../../../gro/generate/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { editEffect } from "../../../../gro/reward/index.ts";
import { supervised } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";

const optionsSchema = z.strictObject({
  /** Items of a round that edits are written for; each of their edits trains a copy. */
  items: z.number().int().min(1).default(48),
  /** Edits for each. */
  edits: z.number().int().min(1).default(5),
  temperature: z.number().positive().default(1),
  /** Held-out questions, and attempts at each, that say what an edit did. */
  questions: z.number().int().min(1).default(12),
  attempts: z.number().int().min(1).default(4),
  /** Steps of a copy on the edit's examples. */
  innerSteps: z.number().int().min(1).default(8),
  innerLearningRate: z.number().positive().default(5e-4),
  keep: z.enum(["improved", "best"]).default("best"),
  /** Learns the examples of the kept edits too, and not only to write such edits. */
  learn: z.boolean().default(true),
  epochs: z.number().positive().max(100).default(2),
  learningRate: z.number().positive().default(3e-4),
});
export type SealOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * SEAL (arXiv 2506.10943, algorithm 1): the model writes training data for itself, a self-edit; a copy is trained on each, and edits after
 * which the copy does better on held-out questions are imitated (ReST-EM):
 *
 *   θ′ = SFT(θ_t, SE);  r(SE) = 1 if accuracy(θ′) > accuracy(θ_t), else 0;  θ_t+1 = SFT(θ_t, {SE : r(SE) = 1} and what these say)
 *
 * The paper's code keeps the best of five edits of each passage, as here, and applies edits when new passages come; here the kept edits'
 * examples are learnt in the same step (`learn`). It trains adapters of 7 billion parameters for 10 epochs at 1e-3; a copy here takes 8
 * steps at 5e-4, since any edit undoes a small model at more. Copies are loaded, trained, asked and dropped through the engine, each stored once it was tried.
 *
 * Defaults: 48 items × 5 edits, 12 questions × 4 attempts, 2 epochs at 3e-4.
 *
 * @example
 * seal({ items: 16, edits: 5, innerSteps: 4 })
 */
export function seal(options: SealOptions = {}): Method {
  const read = readOptions("seal()", optionsSchema, options);
  const { items, temperature, questions, attempts, innerSteps, innerLearningRate } = read;
  const { keep, learn, epochs, learningRate } = read;
  const inner = supervised({
    steps: innerSteps,
    batch: 8,
    learningRate: innerLearningRate,
    optimizerState: "fresh",
    replay: { newest: 1 },
  });
  return gro({
    name: "SEAL",
    generate: edits({ samples: read.edits, temperature }),
    reward: editEffect({ update: inner, questions, attempts, temperature, keep, learn }),
    update: supervised({ epochs, batch: 16, learningRate, replay: { newest: 1 } }),
    items,
  });
}

export const sealPage: MethodPage = {
  name: "seal",
  title: "SEAL",
  paradigm: "beyond",
  reward: "external",
  summary:
    "The model writes training data for itself; what makes a copy that is trained on it better is imitated and learnt.",
  formula:
    "θ′ = SFT(θ, SE);  r(SE) = 1[accuracy(θ′) > accuracy(θ) on held-out questions], of the best edit of an item;  θ ← SFT(θ, {SE : r = 1} and what these say)",
  source:
    "arXiv 2506.10943, algorithm 1; github.com/Continual-Intelligence/SEAL (knowledge-incorporation/src/EM, src/query)",
  checked: true,
  differs:
    "what the kept edits say is learnt in the same step (`learn`), the paper applies edits when new passages come; a copy takes 8 steps at 5e-4, the paper's adapters 10 epochs at 1e-3; equal edits of an item are learnt once",
  options: optionsSchema,
  make: seal,
  vary: [
    ['seal({ keep: "improved" })', "every edit that helps, as the paper's text has it"],
    ["seal({ learn: false })", "only to write better edits, without learning what they say"],
  ],
};
