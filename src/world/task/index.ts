export * from "./addition.ts";
export * from "./items.ts";
export * from "./parity.ts";
export * from "./splits.ts";
export * from "./strings.ts";
export * from "./verdict.ts";
