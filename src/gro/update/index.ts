export { type OnPolicyDistillationOptions, onPolicyDistillation } from "./distillation.ts";
export { learnNothing } from "./learn-nothing.ts";
export { type LearnVerdictsOptions, learnVerdicts } from "./learn-verdicts.ts";
export { type StepLoss, trainingLoss } from "./loss.ts";
export * from "./part.ts";
export { policyGradient } from "./policy/policy-gradient.ts";
export { klSchema, type PolicyGradientOptions } from "./policy/policy-options.ts";
export * from "./preference/index.ts";
export { type RewardWeightedOptions, rewardWeighted } from "./reward-weighted.ts";
export * from "./schedule.ts";
export * from "./supervised.ts";
export { type ThoughtGradientOptions, thoughtGradient } from "./thought-gradient.ts";
export {
  type AnalyticLoss,
  type Batch,
  clipOf,
  type TrainRequest,
  trainBatches,
  usualClipNorm,
} from "./train.ts";
export { type TurnGradientOptions, turnGradient } from "./turn-gradient.ts";
export { type UnlikelihoodOptions, unlikelihood } from "./unlikelihood.ts";
export {
  type LearntResponse,
  type LossOfResponses,
  type UpdateFromOptions,
  updateFrom,
} from "./update-from.ts";
