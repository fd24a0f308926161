export * from "./attempts.ts";
export { estimand, evaluationItems } from "./items.ts";
export * from "./known-truth.ts";
export { answerJudged, frontierOf, type Measured, measure, measurementOf } from "./measure.ts";
export { meters, readBaseMeters, readMeters } from "./meters/meters.ts";
export {
  gainOf,
  gainsByStratum,
  type NamedPair,
  namedPairs,
  type PairedScore,
  pairsOf,
  type StratumGain,
} from "./paired.ts";
export { quotingDocuments } from "./quoting-documents.ts";
export * from "./refusals.ts";
export { shownSamples } from "./samples.ts";
