export { RecoveringEngine } from "./recovering-engine.ts";
export type { Recovery, RecoveryOptions } from "./recovery.ts";
