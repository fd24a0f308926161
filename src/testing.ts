/** What tests the things that plug in: engines, tasks and verifiers of one's own. Imported as `whetstone/testing`. */
export {
  type CheckEngineOptions,
  type CheckResult,
  type ConformanceCheck,
  type ConformanceOutcome,
  type ConformanceSubject,
  type ConformanceTestContext,
  checkEngine,
  conformanceChecks,
  conformanceTests,
  folderSubject,
  type Measurement,
  type Reference,
  type ReferenceMissing,
  type ReferenceRequest,
  servedSubject,
  type TestFunction,
} from "./model/engine/conformance/index.ts";
export { type TaskCheck, taskChecks, verifierChecks } from "./world/task/index.ts";
