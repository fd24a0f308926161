export { type AdditionOptions, addition } from "./addition.ts";
export { type ArithmeticOptions, arithmetic } from "./arithmetic.ts";
export { exactCanaries, type KnownAnswer, runCanaries } from "./canaries.ts";
export type { TaskCheck } from "./conformance/check.ts";
export { taskChecks } from "./conformance/task-checks.ts";
export { type VerifierSample, verifierChecks } from "./conformance/verifier-checks.ts";
export { copy } from "./copy.ts";
export { type CountdownOptions, countdown } from "./countdown.ts";
export {
  canOpen,
  type DatasetOptions,
  dataset,
  fewestLines,
  type ReadDataset,
  readDataset,
  showableGain,
  type VerifierChoice,
} from "./dataset/index.ts";
export { type DrawRequest, drawItems } from "./draw.ts";
export { enumerateItems, itemOf, ownSplit, placeOf, stratumAt } from "./items.ts";
export { type ParityOptions, parity } from "./parity.ts";
export { type ProgramsOptions, programs } from "./programs.ts";
export { reverse } from "./reverse.ts";
export {
  isEnumerated,
  itemDigest,
  itemsInSplit,
  mostInSplit,
  splitOf,
  splitOfDigest,
  splitShares,
} from "./splits.ts";
export type { StringTaskOptions } from "./string-task.ts";
export { type TaskName, tasks } from "./tasks.ts";
export { truthOf, verdictOf } from "./verdict.ts";
export * from "./verifiers/index.ts";
