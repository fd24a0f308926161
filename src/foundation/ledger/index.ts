export { AnswerFiles } from "./answer-files.ts";
export type { Artifacts } from "./artifacts.ts";
export { type CanonicalForm, canonicalHash } from "./canonical-form.ts";
export {
  type Ledger,
  type LedgerReader,
  ledgerFolder,
  openLedger,
  readLedger,
  reportFact,
} from "./ledger.ts";
export {
  countOf,
  type FoundExample,
} from "./lineage/index-reader.ts";
export { type LineageReader, readLineage } from "./lineage/read-lineage.ts";
export { type ExampleOrigin, isRealOrigin, type TrainingHeader } from "./lineage/training-record.ts";
export type { Holder } from "./owner.ts";
export { type LatestProgress, openProgressFile, type ProgressFile, readProgress } from "./progress-file.ts";
export type { KeyedEvent, RunLedger, RunRecord, StepWork } from "./run-ledger.ts";
