export { type CheckEngineOptions, type CheckResult, checkEngine } from "./check-engine.ts";
export { conformanceChecks } from "./conformance-checks.ts";
export {
  type ConformanceTestContext,
  conformanceTests,
  notApplicable,
  type TestFunction,
} from "./conformance-tests.ts";
export { folderSubject } from "./folder-subject.ts";
export type { Reference, ReferenceMissing, ReferenceRequest } from "./reference.ts";
export { servedSubject } from "./served-subject.ts";
export type { ConformanceCheck, ConformanceOutcome, ConformanceSubject, Measurement } from "./subject.ts";
