import type { EngineAbilities } from "../definition.ts";

/** What the Python workers can do, on any machine. */
export const abilities: EngineAbilities = {
  losses: ["cross_entropy", "importance_sampling", "ppo"],
  optimizers: ["adamw", "sgd"],
  precisions: ["fp32", "bf16"],
  stopStrings: true,
  topK: true,
  loraRank: 0,
  gradientCheckpointing: false,
  topLogprobs: 0,
  extensions: [],
};
