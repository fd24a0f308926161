import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { greedy } from "../../../../gro/generate/index.ts";
import { updatePart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { agreement, everything, modalLength } from "../../../../gro/reward/index.ts";
import { supervised } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { checkImitating } from "./imitating.ts";

const optionsSchema = z.strictObject({
  /** What its own answers must pass: peers that agree, answers as long as most, or nothing. */
  filter: z.enum(["agreement", "length", "none"]).default("agreement"),
  /** Models that were trained apart, for `agreement`. */
  peers: z.number().int().min(2).default(2),
  update: updatePart.optional(),
});
export type SelfImprovingTransformersOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Self-improving transformers (arXiv 2502.01612, section 3): a model answers problems a little harder than those it was taught,
 * a filter that needs no truth drops what looks wrong, and it learns the rest beside all that it learnt before:
 *
 *   D_r = D_r−1 ∪ {(x, ŷ): x of difficulty d + r, ŷ the greedy answer, ŷ passes the filter};  θ ← argmin_θ −Σ over D_r of log π_θ(ŷ|x)
 *
 * Harder problems come from `acquire: [procedural({ difficulty: "next" })]`, one more than was trained so far each round.
 *
 * Defaults: two peers that must agree (the paper's majority vote), 100 steps at 1e-3, half of each batch from this round.
 *
 * @example
 * selfImprovingTransformers({ filter: "length" })
 */
export function selfImprovingTransformers(options: SelfImprovingTransformersOptions = {}): Method {
  const {
    filter,
    peers,
    update = supervised({ steps: 100 }),
  } = readOptions("selfImprovingTransformers()", optionsSchema, options);
  checkImitating("selfImprovingTransformers()", update);
  const filters = { agreement: () => agreement({ peers }), length: modalLength, none: everything };
  return gro({ name: "self-improving transformers", generate: greedy(), reward: filters[filter](), update });
}

export const selfImprovingTransformersPage: MethodPage = {
  name: "self-improving-transformers",
  title: "Self-Improving Transformers",
  paradigm: "rejection sampling",
  reward: "self-derived",
  summary:
    "Answers to problems a little harder than those it knows, filtered without a truth, teach it the next step.",
  formula:
    "D_r = D_r−1 ∪ {(x, ŷ): x one harder, ŷ passes the filter};  θ ← argmin_θ −Σ over D_r of log π_θ(ŷ|x)",
  source: "arXiv 2502.01612, section 3",
  checked: false,
  options: optionsSchema,
  make: selfImprovingTransformers,
  vary: [
    ['selfImprovingTransformers({ filter: "length" })', "one model alone: answers as long as most are kept"],
    [
      'selfImprovingTransformers({ filter: "none" })',
      "the control: everything is believed, and errors pile up",
    ],
  ],
};
