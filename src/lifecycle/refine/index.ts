export * from "./decoding/best-of-n.ts";
export * from "./decoding/greedy-decoding.ts";
export * from "./decoding/sampled-decoding.ts";
export * from "./reasoning/self-consistency.ts";
