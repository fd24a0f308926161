export { methodPages } from "./catalogue.ts";
export { type GrpoOptions, grpo } from "./methods/reinforcement/grpo.ts";
export { type RejectionSamplingOptions, rejectionSampling } from "./methods/rejection/rejection-sampling.ts";
export { type StarOptions, star } from "./methods/rejection/star.ts";
export {
  type SupervisedFineTuningOptions,
  supervisedFineTuning,
} from "./methods/supervised/supervised-fine-tuning.ts";
export type { MethodPage, Paradigm } from "./page.ts";
