export { conformanceChecks } from "./conformance-checks.ts";
export { conformanceTests, type TestFunction } from "./conformance-tests.ts";
export type { ConformanceCheck, ConformanceOutcome, ConformanceSubject } from "./subject.ts";
