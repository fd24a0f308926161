import type { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { byteOfCharacter, hasByteFallback, isByteLevel } from "./token-bytes.ts";
import type { TokenizerDefinition } from "./tokenizer-json.ts";

/** The first part of a text that has no token, given the ids that the text became; undefined where all of it has. */
export type UnknownFinder = (text: string, ids: readonly (number | undefined)[]) => string | undefined;

/**
 * Tokenizers turn what they do not know into an unknown token, or leave it out without a word. Vocabularies that hold
 * every byte know every text.
 */
export function unknownFinder(
  tokenizer: HuggingFaceTokenizer,
  definition: TokenizerDefinition,
  unknownToken: string | undefined,
): UnknownFinder {
  const holds = (token: string): boolean => tokenizer.token_to_id(token) !== undefined;
  const everyByte = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
  if (isByteLevel(definition) && [...byteOfCharacter.keys()].every(holds)) return () => undefined;
  if (hasByteFallback(definition) && everyByte.every(holds)) return () => undefined;
  const unknown = unknownToken === undefined ? undefined : tokenizer.token_to_id(unknownToken);
  const isKnown = (id: number | undefined): boolean => id !== undefined && id !== unknown;
  const added = definition.added_tokens.map(({ content }) => content).filter((content) => content !== "");
  const known = new Set<string>();
  const isKnownAlone = (character: string): boolean => {
    if (known.has(character)) return true;
    const { ids } = tokenizer.encode(character, { add_special_tokens: false });
    const expressed = /^\s$/.test(character) || (ids.length > 0 && ids.every(isKnown));
    if (expressed) known.add(character);
    return expressed;
  };
  return (text, ids) => {
    // Nothing is left out where there is an unknown token to put in its place.
    if (unknown !== undefined && ids.every(isKnown)) return undefined;
    // Added tokens are whole texts: their characters need no tokens of their own.
    const rest = added.reduce((left, token) => left.replaceAll(token, ""), text);
    const character = [...rest].find((one) => !isKnownAlone(one));
    return character ?? (ids.every(isKnown) ? undefined : text);
  };
}
