export * from "./metric/balance-answers.ts";
export * from "./metric/deduplicate.ts";
export * from "./metric/solve-rate-band.ts";
export { type Selection, select } from "./select.ts";
