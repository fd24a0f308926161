export * from "./clock.ts";
export * from "./errors.ts";
export * from "./file-lock.ts";
export * from "./json.ts";
export * from "./options.ts";
export * from "./random.ts";
export * from "./suggest.ts";
export * from "./waiting.ts";
