/** The public API: all that the command line does, from a program. */
export { isWhetstoneError, WhetstoneError } from "./foundation/base/index.ts";
export type * from "./foundation/contract/index.ts";
export {
  type CanonicalForm,
  canonicalHash,
  type LedgerReader,
  readLedger,
} from "./foundation/ledger/index.ts";
export * from "./gro/generate/index.ts";
export { inTurn } from "./gro/method/index.ts";
export { gro, type Method, type Pass } from "./gro/method.ts";
export * from "./gro/reward/index.ts";
export {
  type PolicyGradientOptions,
  policyGradient,
  type SupervisedOptions,
  supervised,
  type UpdatePart,
} from "./gro/update/index.ts";
export { demonstrations, procedural, prompts } from "./lifecycle/acquire/index.ts";
export {
  defaults,
  diversityCollapse,
  drift,
  gapClosed,
  itemIdentity,
  labelAccuracy,
  lengthDrift,
  logprobMismatch,
  majorityLockIn,
  realDataFloor,
  rewardHacking,
  samplerFreshness,
  verifierIntegrity,
} from "./lifecycle/guard/index.ts";
export * from "./lifecycle/optimize/index.ts";
export * from "./lifecycle/refine/index.ts";
export { balanceAnswers, deduplicate, solveRateBand } from "./lifecycle/select/index.ts";
export {
  type DecisionRequest,
  decide,
  type OpeningRequest,
  openGate,
  type Pair,
  type PairedBlock,
} from "./loop/gate.ts";
export {
  type Answered,
  type AnswerOptions,
  type Audit,
  type AuditOptions,
  answerQuestion,
  auditRun,
  type BudgetChange,
  type Chat,
  type ChatAnswer,
  type ChatOptions,
  type ChatPartner,
  type Collected,
  type CollectOptions,
  type CompareOptions,
  type Comparison,
  type Contender,
  type ContenderScore,
  collectGarbage,
  compareWeights,
  defineRun,
  type Exported,
  type ExportOptions,
  exportModel,
  type Followed,
  type FollowOptions,
  followRun,
  type Garbage,
  type Marginal,
  type MetricRow,
  type MetricsOptions,
  openChat,
  openQuestions,
  type ParameterKinds,
  type ParameterValues,
  type ParametrisedRun,
  type Plan,
  type PlannedStage,
  type PlanOptions,
  plan,
  type Question,
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
  type Trace,
  type TraceOptions,
  trace,
  type Verification,
  type VerifiedRun,
  type VerifyFinding,
  type VerifyOptions,
  verifyFolder,
  type WhichWeights,
  withParameters,
} from "./loop/run.ts";
export { type ChatEndpointOptions, chatEndpoint, policyChat } from "./model/chat/index.ts";
export {
  type ConformanceCheck,
  type ConformanceSubject,
  conformanceChecks,
} from "./model/engine/conformance/index.ts";
export {
  type EngineContext,
  type EngineDefinition,
  type EngineProgress,
  type ModelDefinition,
  type ModelNeeds,
  type PreparedModel,
  type TinyOptions,
  tiny,
} from "./model/engine/index.ts";
export { type LocalOptions, local } from "./model/engine/local/index.ts";
export { type ServeOptions, serveTinker, type TinkerServer } from "./model/engine/serve/index.ts";
export { type TabularOptions, tabular } from "./model/engine/tabular/index.ts";
export { type TinkerOptions, tinker } from "./model/engine/tinker/index.ts";
export { fromFolder, pretrained } from "./model/hub/index.ts";
export {
  type CharacterTokenizer,
  characters,
  loadTokenizer,
  type TokenizerOptions,
} from "./model/text/index.ts";
export {
  type AdditionOptions,
  type ArithmeticOptions,
  addition,
  arithmetic,
  type CommandOptions,
  type CountdownOptions,
  command,
  copy,
  countdown,
  type DatasetOptions,
  dataset,
  type ExactOptions,
  type ExtractingRegexOptions,
  exact,
  exactCanaries,
  type JsonOptions,
  type Judgement,
  json,
  type MultipleChoiceOptions,
  math,
  multipleChoice,
  type NumericOptions,
  numeric,
  type OwnCanary,
  type ParityOptions,
  parity,
  type RegexOfAnswerOptions,
  type RegexOptions,
  regex,
  reverse,
  runCanaries,
  type StringTaskOptions,
  type TaskCheck,
  taskChecks,
  type VerifierFromOptions,
  type VerifierSample,
  verifierChecks,
  verifierFrom,
} from "./world/task/index.ts";
