export { learnNothing } from "./learn-nothing.ts";
export { type StepLoss, trainingLoss } from "./loss.ts";
export * from "./part.ts";
export * from "./policy-gradient.ts";
export * from "./schedule.ts";
export * from "./supervised.ts";
export {
  type AnalyticLoss,
  type Batch,
  clipOf,
  type TrainRequest,
  trainBatches,
  usualClipNorm,
} from "./train.ts";
