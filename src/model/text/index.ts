export { type CharacterTokenizer, characters } from "./characters.ts";
export { loadTokenizer } from "./load-tokenizer.ts";
