export * from "./attempt.ts";
export * from "./example.ts";
export * from "./storage.ts";
