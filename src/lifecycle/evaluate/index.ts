export { estimand, evaluationItems } from "./items.ts";
export { frontierOf, type Measured, measure } from "./measure.ts";
export { meters, readMeters } from "./meters/meters.ts";
export { gainOf, type PairedScore, pairsOf } from "./paired.ts";
export { shownSamples } from "./samples.ts";
