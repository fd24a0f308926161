export type { Artifacts } from "./artifacts.ts";
export { type CanonicalForm, canonicalHash } from "./canonical-form.ts";
export { type Ledger, type LedgerReader, ledgerFolder, openLedger, readLedger } from "./ledger.ts";
export type { Holder } from "./owner.ts";
export { type LatestProgress, openProgressFile, type ProgressFile, readProgress } from "./progress-file.ts";
export type { KeyedEvent, RunLedger, RunRecord, StepWork } from "./run-ledger.ts";
