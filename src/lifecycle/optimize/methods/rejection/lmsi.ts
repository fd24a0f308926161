import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { updatePart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { majority } from "../../../../gro/reward/index.ts";
import { supervised } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { checkImitating } from "./imitating.ts";

const optionsSchema = z.strictObject({
  samples: z.number().int().min(2).default(32),
  temperature: z.number().positive().default(0.7),
  /** Least share of the votes for an item to be learnt from: a sure vote is more often a right one. */
  share: z.number().min(0).max(1).default(0),
  update: updatePart.optional(),
});
export type LmsiOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * LMSI, "Large language models can self-improve" (arXiv 2210.11610, section 3): self-consistency as a label. Many reasoned answers
 * to each item without a known one; those that end in the answer of the majority are imitated:
 *
 *   ŷ(x) = mode of answer(y_i), y_1 … y_m ~ π(·|x);  θ ← argmax_θ Σ_x Σ over distinct y_i with answer(y_i) = ŷ(x) of log π_θ(y_i|x)
 *
 * The paper learns all of them, each as often as it was sampled; here equal responses to an item are learnt once. It also mixes
 * prompt formats (with and without examples, with and without reasoning); here an item has one.
 *
 * Defaults: 32 samples at T = .7, every vote counts, 60 steps at 5e-4 from the round's weights.
 *
 * @example
 * lmsi({ samples: 16, share: 0.5 })
 */
export function lmsi(options: LmsiOptions = {}): Method {
  const read = readOptions("lmsi()", optionsSchema, options);
  const { update = supervised({ steps: 60, learningRate: 5e-4, replay: { newest: 1 } }) } = read;
  checkImitating("lmsi()", update);
  return gro({
    name: "LMSI",
    generate: samples({ samples: read.samples, temperature: read.temperature }),
    reward: majority({ share: read.share }),
    update,
  });
}

export const lmsiPage: MethodPage = {
  name: "lmsi",
  title: "LMSI",
  paradigm: "rejection sampling",
  reward: "self-derived",
  summary: "Nobody knows the answers: those that most samples agree on are imitated.",
  formula:
    "ŷ(x) = mode of answer(y_i);  θ ← argmax_θ Σ_x Σ over distinct y_i with answer(y_i) = ŷ(x) of log π_θ(y_i|x)",
  source: "arXiv 2210.11610, section 3",
  checked: false,
  differs:
    "equal responses to an item are learnt once, the paper's as often as they were sampled; an item has one form of prompt; the paper mixes forms, with and without examples and reasoning",
  options: optionsSchema,
  make: lmsi,
  vary: [["lmsi({ share: 0.6 })", "learns from sure votes only: fewer labels, more of them right"]],
};
