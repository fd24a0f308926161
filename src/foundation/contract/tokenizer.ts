import type { Message } from "./items.ts";
import type { TokenIds } from "./sampler.ts";

/** How a model was taught to read conversations: its chat template, on token ids. */
export interface ChatFormat {
  /** The text that the template makes of a conversation, with the opening of the assistant's answer if asked for. */
  render(messages: readonly Message[], options?: { readonly addGenerationPrompt?: boolean }): string;
  /**
   * The token ids that ask the assistant to answer these messages. Throws a user error `special-token-in-text` when a
   * message's content holds one of the template's own tokens: it would end or open a message.
   */
  prompt(messages: readonly Message[]): TokenIds;
  /**
   * The token ids that follow `prompt(messages)` when the assistant answers with this response, up to the end token and with
   * it, as the template writes them: what a model is trained to say. Throws as `prompt`, also for the response.
   */
  answer(messages: readonly Message[], response: string): TokenIds;
}

/** Text to token ids and back. Prompts and responses meet as ids, never as text: sampled ids are trained on as they are. */
export interface Tokenizer {
  readonly name: string;
  /** SHA-256 of the tokenizer's definition; part of the protocol hash. */
  readonly hash: string;
  readonly vocabularySize: number;
  /** Put before every prompt where the model has one. */
  readonly beginToken?: number;
  /** Ends a response; where there is a chat template, it is the one that the template writes there. */
  readonly endToken: number;
  /** Further token ids that end a response when the model writes them; the end token is always one. */
  readonly stopTokens?: readonly number[];
  /** Absent where the model was taught none: prompts are then plain text. */
  readonly chat?: ChatFormat;
  /** Throws a user error `text-not-in-vocabulary` for text that it cannot express. */
  encode(text: string): TokenIds;
  /** Special tokens are left out. */
  decode(tokens: TokenIds): string;
  /** Each token id's bytes (empty for special tokens). */
  tokenBytes(): readonly Uint8Array[];
}
