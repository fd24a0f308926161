export * from "./betting.ts";
export { cutOffShare, cutOffWords, worthAWord } from "./cut-off.ts";
export * from "./interval.ts";
export { meanInterval } from "./mean-interval.ts";
export * from "./power.ts";
export { type ProbeSizeOptions, pairsToProtect } from "./probe-size.ts";
export * from "./spending.ts";
export * from "./stratified.ts";
export * from "./words.ts";
