import type { EngineAbilities } from "../definition.ts";

/** Of adapters: above it they are no small part of a model. */
const largestRank = 512;

/** Most probable tokens at a position. */
const mostTop = 64;

/** What the Python workers can do, on any machine. */
export const abilities: EngineAbilities = {
  losses: ["cross_entropy", "importance_sampling", "ppo", "cispo", "dro", "gspo"],
  optimizers: ["adamw", "sgd"],
  precisions: ["fp32", "mixed", "bf16"],
  stopStrings: true,
  topK: true,
  loraRank: largestRank,
  gradientCheckpointing: true,
  topLogprobs: mostTop,
  extensions: ["certainty", "embeddings", "gradient-features"],
};
