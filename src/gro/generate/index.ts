export * from "./greedy.ts";
export * from "./part.ts";
export * from "./samples.ts";
