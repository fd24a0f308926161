export { type CharacterTokenizer, characters } from "./characters.ts";
export { loadTokenizer, type TokenizerOptions } from "./load-tokenizer.ts";
