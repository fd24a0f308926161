export * from "./ask.ts";
export * from "./attempt.ts";
export * from "./check-prompt.ts";
export * from "./context.ts";
export * from "./example.ts";
export * from "./models.ts";
export * from "./storage.ts";
export * from "./trained.ts";
