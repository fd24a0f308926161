import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { nothing } from "../../../../gro/generate/nothing.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { everything } from "../../../../gro/reward/index.ts";
import { supervised } from "../../../../gro/update/index.ts";

import type { MethodPage } from "../../page.ts";

const optionsSchema = z.strictObject({
  /** Times that every demonstration is learnt from. */
  epochs: z.number().positive().max(100).default(2),
  /** Examples a step. */
  batch: z.number().int().min(1).default(8),
  learningRate: z.number().positive().default(1e-5),
  start: z.enum(["base", "current"]).default("current"),
});
export type SupervisedFineTuningOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Supervised fine-tuning on demonstrations (InstructGPT's first step, arXiv 2203.02155, section 3.1): the model writes nothing
 * itself, it imitates the responses that `acquire: [demonstrations()]` brings:
 *
 *   θ ← argmin_θ E over demonstrations (x, y) of −log π_θ(y|x)
 *
 * Its own round of the loop, so that what it brings is gated and audited like any other gain.
 *
 * @example
 * inTurn(supervisedFineTuning({ epochs: 2 }), rejectionSampling())
 */
export function supervisedFineTuning(options: SupervisedFineTuningOptions = {}): Method {
  const { epochs, batch, learningRate, start } = readOptions(
    "supervisedFineTuning()",
    optionsSchema,
    options,
  );
  const update = supervised({ epochs, batch, learningRate, replay: { newest: 0 } });
  return gro({ name: "supervised fine-tuning", generate: nothing(), reward: everything(), update, start });
}

export const supervisedFineTuningPage: MethodPage = {
  name: "supervised-fine-tuning",
  title: "Supervised fine-tuning",
  paradigm: "supervised",
  reward: "none",
  summary: "Imitate demonstrations; the model writes nothing itself.",
  formula: "θ ← argmin E over demonstrations (x, y) of −log π_θ(y|x)",
  source: "arXiv 2203.02155, section 3.1",
  checked: true,
  options: optionsSchema,
  make: supervisedFineTuning,
  vary: [
    [
      "inTurn(supervisedFineTuning(), rejectionSampling())",
      "first what people wrote, then what the model writes",
    ],
  ],
};
