export { datumOf, tokensOfChunks, wireDatumOf } from "./data.ts";
export { configOf, lossOf } from "./losses.ts";
export * from "./paths.ts";
export * as requests from "./requests.ts";
export { type TinkerOptions, tinker, triedServer } from "./tinker.ts";
export * from "./wire/arrays.ts";
export * from "./wire/extensions.ts";
export * from "./wire/forward-backward.ts";
export * from "./wire/sample-response.ts";
