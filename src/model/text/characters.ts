import { userError, WhetstoneError } from "../../foundation/base/index.ts";
import type { TokenIds, Tokenizer } from "../../foundation/contract/index.ts";
import { characterFiles } from "./character-files.ts";
import { tokenizerHash } from "./tokenizer-hash.ts";

/** A tokenizer that can be written beside a model, so that others can load both. */
export interface CharacterTokenizer extends Tokenizer {
  readonly alphabet: string;
  /** Never sampled and never trained on; there for tools that pad. */
  readonly padToken: number;
  readonly beginToken: number;
  /** The files of a Hugging Face folder, by name. */
  readonly files: Readonly<Record<string, string>>;
}

const padToken = 0;
const beginToken = 1;
const endToken = 2;

/**
 * One token a character: padding, begin and end first, then the characters in their order. Throws a user error
 * `invalid-option` for an alphabet that is empty, repeats a character, or is no valid Unicode.
 *
 * @example
 * const tokenizer = characters("0123456789=");
 * tokenizer.encode("12="); // Int32Array [4, 5, 13]
 */
export function characters(alphabet: string): CharacterTokenizer {
  const letters = lettersOf(alphabet);
  const specials = specialTokens(letters);
  const texts = [...specials.map(() => ""), ...letters];
  const ids = new Map(letters.map((letter, index) => [letter, specials.length + index]));
  const files = characterFiles({ letters, specials });
  const bytes = texts.map((text) => new TextEncoder().encode(text));
  return {
    name: "characters",
    alphabet,
    hash: tokenizerHash(files["tokenizer.json"] as string, beginToken, endToken),
    vocabularySize: texts.length,
    padToken,
    beginToken,
    endToken,
    files,
    encode: (text) => {
      const tokens = new Int32Array(text.length);
      let count = 0;
      for (const letter of text) {
        const id = ids.get(letter);
        if (id === undefined) throw notInAlphabet(letter, alphabet);
        tokens[count++] = id;
      }
      return tokens.slice(0, count);
    },
    decode: (tokens) => decode(tokens, texts),
    tokenBytes: () => bytes,
  };
}

function decode(tokens: TokenIds, texts: readonly string[]): string {
  let text = "";
  for (const token of tokens) {
    const letter = texts[token];
    if (letter === undefined)
      throw new WhetstoneError({
        code: "token-out-of-range",
        category: "engine",
        message: `Token ${token} is outside 0…${texts.length - 1}: the model's vocabulary is not this tokenizer's.`,
      });
    text += letter;
  }
  return text;
}

function lettersOf(alphabet: string): string[] {
  const refuse = (reason: string) => userError("invalid-option", `characters(): the alphabet ${reason}.`);
  if (typeof alphabet !== "string" || alphabet === "")
    throw refuse('is a string of the characters to know, such as "0123456789="');
  if (!alphabet.isWellFormed()) throw refuse("holds half of a surrogate pair, which is no character");
  const letters = [...alphabet];
  const repeated = letters.find((letter, index) => letters.indexOf(letter) !== index);
  if (repeated !== undefined) throw refuse(`has ${JSON.stringify(repeated)} twice`);
  return letters;
}

/** Names that no text of the alphabet can spell: other tools look for them in the text before they split it. */
function specialTokens(letters: readonly string[]): string[] {
  const known = new Set(letters);
  let [open, close] = ["<", ">"];
  // From the private use area, where no text has a character of its own.
  for (let point = 0xe000; known.has(open); point++) open = close = String.fromCodePoint(point);
  return ["pad", "bos", "eos"].map((name) => `${open}${name}${close}`);
}

function notInAlphabet(letter: string, alphabet: string): WhetstoneError {
  const point = (letter.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0");
  return userError(
    "text-not-in-vocabulary",
    `The character ${JSON.stringify(letter)} (U+${point}) is not in the tokenizer's alphabet ` +
      `${JSON.stringify(alphabet)}; add it to characters(…).`,
    { character: letter },
  );
}
