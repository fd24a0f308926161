export * from "./agreement.ts";
export * from "./everything.ts";
export * from "./majority.ts";
export * from "./modal-length.ts";
export type { RewardContext, RewardPart } from "./part.ts";
export * from "./permuted.ts";
export * from "./verifier.ts";
