export { acquire } from "./acquire.ts";
export * from "./static/demonstrations.ts";
export * from "./synthesize/procedural.ts";
