export { type DebateOptions, debate } from "./debate.ts";
export * from "./forced.ts";
export * from "./greedy.ts";
export * from "./ladder.ts";
export * from "./part.ts";
export * from "./propose.ts";
export * from "./samples.ts";
export * from "./with-hints.ts";
