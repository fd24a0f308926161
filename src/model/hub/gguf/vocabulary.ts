import { invalidGguf } from "./gguf-error.ts";
import { numberOf, numbersOf, required, textsOf } from "./metadata.ts";
import type { Gguf } from "./read-gguf.ts";

/** What a token of a GGUF file is (`gguf.TokenType`). */
export const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface Vocabulary {
  readonly tokens: readonly string[];
  /** One a token: {@link tokenTypes}. */
  readonly types: readonly number[];
  readonly begin: number | undefined;
  readonly end: number;
  readonly unknown: number | undefined;
  readonly padding: number | undefined;
  /** Further ids that end an answer: end of turn, where it is not the end token. */
  readonly alsoEnd: readonly number[];
}

/** Throws a user error `gguf-invalid`. */
export function vocabularyOf(gguf: Gguf): Vocabulary {
  const tokens = required(textsOf, gguf, "tokenizer.ggml.tokens");
  const types = numbersOf(gguf, "tokenizer.ggml.token_type") ?? tokens.map(() => tokenTypes.normal);
  if (types.length !== tokens.length)
    throw invalidGguf(gguf.path, `has ${tokens.length} tokens and ${types.length} token types`);
  const id = (name: string): number | undefined => {
    const value = numberOf(gguf, `tokenizer.ggml.${name}_token_id`);
    if (value !== undefined && tokens[value] === undefined)
      throw invalidGguf(gguf.path, `names ${value} as its ${name} token and has ${tokens.length} tokens`);
    return value;
  };
  const end = id("eos");
  if (end === undefined) throw invalidGguf(gguf.path, "does not say its tokenizer.ggml.eos_token_id");
  const turn = id("eot");
  return {
    tokens,
    types,
    begin: id("bos"),
    end,
    unknown: id("unknown"),
    padding: id("padding"),
    alsoEnd: turn === undefined || turn === end ? [] : [turn],
  };
}

/** The `added_tokens` of a `tokenizer.json`: those that are cut out of a text before it is divided. */
export function addedTokens({ tokens, types }: Vocabulary) {
  const { control, unknown, userDefined } = tokenTypes;
  const cut: readonly number[] = [control, unknown, userDefined];
  return tokens.flatMap((content, id) => {
    const type = types[id] as number;
    if (!cut.includes(type)) return [];
    const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
    return [{ id, content, ...plain, special: type !== userDefined }];
  });
}

/** Every token's id; ids that only fill the table up have none. */
export function idsOf({ tokens, types }: Vocabulary): Record<string, number> {
  return Object.fromEntries(
    tokens.flatMap((token, id) => (types[id] === tokenTypes.unused ? [] : [[token, id]])),
  );
}
