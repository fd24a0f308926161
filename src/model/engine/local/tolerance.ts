import type { Precision, Tolerance } from "../../../foundation/contract/index.ts";

/** What passes multiply in. */
export type Arithmetic = "fp32" | "bf16";

const exact: Tolerance = { logprob: 1e-4, meanLogprob: 1e-4, gradient: 1e-4 };

/**
 * Activations in bf16, on a processor that is faster with them: a batch of other shape rounds otherwise. On text of SmolLM2-135M
 * sampled and recomputed logprobs differ by 0.04 on average and 0.2 at most.
 */
const rough: Tolerance = { logprob: 1, meanLogprob: 0.1, gradient: 0.05 };

/** How far equal quantities may differ. Gradients that are kept in bf16 are rounded by each call that adds to them, to 8 bits. */
export function toleranceOf(precision: Precision, arithmetic: Arithmetic): Tolerance {
  const computed = arithmetic === "fp32" ? exact : rough;
  return precision === "bf16" ? { ...computed, gradient: Math.max(computed.gradient, 0.01) } : computed;
}
