import type { TokenIds } from "./engine.ts";

/** Text to token ids and back. Prompts and responses meet as ids, never as text: sampled ids are trained on as they are. */
export interface Tokenizer {
  readonly name: string;
  /** SHA-256 of the tokenizer's definition; part of the protocol hash. */
  readonly hash: string;
  readonly vocabularySize: number;
  /** Put before every prompt where the model has one. */
  readonly beginToken?: number;
  /** Ends a response. */
  readonly endToken: number;
  /** Throws a user error `text-not-in-vocabulary` for text that it cannot express. */
  encode(text: string): TokenIds;
  /** Special tokens are left out. */
  decode(tokens: TokenIds): string;
  /** Each token id's bytes (empty for special tokens). */
  tokenBytes(): readonly Uint8Array[];
}
