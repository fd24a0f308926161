export { acquire } from "./acquire.ts";
export * from "./static/demonstrations.ts";
export * from "./static/prompts.ts";
export * from "./synthesize/procedural.ts";
