export * from "./attempt.ts";
export * from "./check-prompt.ts";
export * from "./context.ts";
export * from "./continue.ts";
export * from "./example.ts";
export * from "./models.ts";
export * from "./storage.ts";
export * from "./trained.ts";
