export * from "./methods/reinforcement/grpo.ts";
export * from "./methods/rejection/rejection-sampling.ts";
export * from "./methods/rejection/star.ts";
export * from "./methods/supervised/supervised-fine-tuning.ts";
