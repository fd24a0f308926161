import type { Determinism } from "../../../foundation/contract/index.ts";
import type { EngineAbilities } from "../definition.ts";

/** Of adapters: above it they are no small part of a model. */
const largestRank = 512;

/** Most probable tokens at a position. */
const mostTop = 64;

/**
 * What `deterministic` makes of it. Another composition of a batch, another number of workers or threads and other versions may
 * each round otherwise, and so may what is sampled when the memory for keys and values runs out.
 */
export const promised: readonly Determinism[] = ["calls", "engines"];

/** Where equal bits were never compared. */
export const untestedBits: readonly string[] = [
  "equal bits of large models and of arithmetic in bf16, but on AMD's Zen 4 with two threads",
  "equal bits of models that transformers computes",
];

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
