export * from "./defaults.ts";
export * from "./label-accuracy.ts";
export * from "./logprob-mismatch.ts";
export * from "./sampler-freshness.ts";
export * from "./speak.ts";
