import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { samples } from "../../../../gro/generate/index.ts";
import { updatePart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { distinct, verifier } from "../../../../gro/reward/index.ts";
import { supervised } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { checkImitating } from "./imitating.ts";

const optionsSchema = z.strictObject({
  samples: z.number().int().min(1).default(100),
  temperature: z.number().positive().default(0.7),
  /** What makes two right answers one: the equations in them, or their whole text. */
  by: z.enum(["equations", "text"]).default("equations"),
  update: updatePart.optional(),
});
export type RftOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Rejection-sampling fine-tuning (RFT, arXiv 2308.01825, section 3.3): many samples an item, the right ones that differ in their
 * equations, and the base model fine-tuned on these beside the demonstrations:
 *
 *   θ ← argmax_θ Σ over (x, y) in demonstrations ∪ {distinct right y ~ π(·|x)} of log π_θ(y|x), begun at the base
 *
 * Defaults: 100 samples at T = .7, 100 steps at 5e-4, three quarters of each batch from what was kept.
 *
 * @example
 * rft({ samples: 16 })
 */
export function rft(options: RftOptions = {}): Method {
  const read = readOptions("rft()", optionsSchema, options);
  const {
    update = supervised({
      steps: 100,
      learningRate: 5e-4,
      optimizerState: "fresh",
      replay: { newest: 0.75 },
    }),
  } = read;
  checkImitating("rft()", update);
  return gro({
    name: "RFT",
    generate: samples({ samples: read.samples, temperature: read.temperature }),
    reward: distinct({ of: verifier(), by: read.by }),
    update,
    start: "base",
  });
}

export const rftPage: MethodPage = {
  name: "rft",
  title: "RFT",
  paradigm: "rejection sampling",
  reward: "external",
  summary:
    "Many samples an item; right ones that go different ways, beside the demonstrations, teach the base model.",
  formula: "θ ← argmax_θ Σ over demonstrations and distinct right samples of log π_θ(y|x), begun at the base",
  source: "arXiv 2308.01825, section 3.3",
  checked: false,
  options: optionsSchema,
  make: rft,
  vary: [['rft({ by: "text" })', "tells answers apart by their words, where there are no equations"]],
};
