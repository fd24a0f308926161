export { stepCadence, stretchesOf } from "./cadence.ts";
export type { MethodContext, PolicyStore, Training, Weights } from "./context.ts";
export * from "./in-turn.ts";
export * from "./part-schemas.ts";
export { updateOf } from "./pass.ts";
export { checkpointsOf, type MethodOutcome, runMethod } from "./run-method.ts";
export { doneInAll, eachPart, samplingParts } from "./sampling-parts.ts";
export { evidenceOf, type Tally, tallySchema } from "./tally.ts";
export * from "./with-rewards.ts";
