/** The public API: all that the command line does, from a program. */
export { isWhetstoneError, WhetstoneError } from "./foundation/base/index.ts";
export type * from "./foundation/contract/index.ts";
export { readLedger } from "./foundation/ledger/index.ts";
export * from "./gro/generate/index.ts";
export { gro, type Method, type Pass } from "./gro/method.ts";
export * from "./gro/reward/index.ts";
export {
  type PolicyGradientOptions,
  policyGradient,
  type SupervisedOptions,
  supervised,
  type UpdatePart,
} from "./gro/update/index.ts";
export { demonstrations, procedural } from "./lifecycle/acquire/index.ts";
export { defaults, labelAccuracy, logprobMismatch, samplerFreshness } from "./lifecycle/guard/index.ts";
export * from "./lifecycle/optimize/index.ts";
export * from "./lifecycle/refine/index.ts";
export { deduplicate, solveRateBand } from "./lifecycle/select/index.ts";
export {
  type Audit,
  type AuditOptions,
  auditRun,
  type Chat,
  type ChatAnswer,
  type ChatModel,
  type ChatOptions,
  type CompareOptions,
  type Comparison,
  type Contender,
  type ContenderScore,
  compareWeights,
  defineRun,
  type Exported,
  type ExportOptions,
  exportModel,
  type Followed,
  type FollowOptions,
  followRun,
  type MetricRow,
  type MetricsOptions,
  openChat,
  type ParameterKinds,
  type ParameterValues,
  type ParametrisedRun,
  type Plan,
  type PlannedStage,
  plan,
  type Rollback,
  type RollbackOptions,
  type RunConfig,
  type RunDefinition,
  type RunOptions,
  type RunResult,
  readMetrics,
  rollback,
  run,
  type SavedWeights,
  type WhichWeights,
  withParameters,
} from "./loop/run.ts";
export {
  type ConformanceCheck,
  type ConformanceSubject,
  conformanceChecks,
} from "./model/engine/conformance/index.ts";
export {
  type EngineContext,
  type EngineDefinition,
  type EngineProgress,
  fromFolder,
  type ModelDefinition,
  type ModelNeeds,
  type PreparedModel,
  type TinyOptions,
  tiny,
} from "./model/engine/index.ts";
export { type LocalOptions, local } from "./model/engine/local/index.ts";
export { type TabularOptions, tabular } from "./model/engine/tabular/index.ts";
export { type CharacterTokenizer, characters, loadTokenizer } from "./model/text/index.ts";
export {
  type AdditionOptions,
  addition,
  copy,
  exactCanaries,
  type ParityOptions,
  parity,
  reverse,
  runCanaries,
  type StringTaskOptions,
  type TaskCheck,
  taskChecks,
} from "./world/task/index.ts";
