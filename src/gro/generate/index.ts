export * from "./greedy.ts";
export * from "./harness-answers.ts";
export * from "./part.ts";
export * from "./revisions.ts";
export * from "./samples.ts";
