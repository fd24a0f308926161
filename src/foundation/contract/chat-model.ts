import type { Message } from "./items.ts";

/** A model that reads messages and writes text: what judges and agents speak to. Weights that are trained are an engine's. */
export interface ChatModel {
  readonly name: string;
  /** What it was asked to be, for `plan` and the ledger; never a key. */
  readonly description: Readonly<Record<string, string | number | boolean>>;
  /**
   * The assistant's next message. Throws a user error where the conversation or the key is refused, and an environment error
   * where nobody answers.
   */
  answer(messages: readonly Message[], options: ChatModelOptions): Promise<ChatModelReply>;
}

export interface ChatModelOptions {
  readonly maxTokens: number;
  /** 0 is greedy; what the model does by itself if left out, 1 as a rule. */
  readonly temperature?: number;
  readonly topP?: number;
  /** The same seed gives the same answer where the model can promise that: a policy does (0 if left out), an endpoint may. */
  readonly seed?: number;
  /** Asks for the logprob of each token of the answer; default false. */
  readonly logprobs?: boolean;
  readonly signal?: AbortSignal;
}

export interface ChatModelReply {
  readonly text: string;
  /** False when the token limit ended it. */
  readonly complete: boolean;
  readonly logprobs: ChatLogprobs;
  /** Tokens that were read and written, where the model counts them. */
  readonly tokens?: { readonly prompt: number; readonly answer: number };
}

/** Logprobs that were computed by the model for this very text, or none, and why there are none. Never an estimate. */
export type ChatLogprobs =
  | { readonly told: true; readonly tokens: readonly ChatToken[] }
  | { readonly told: false; readonly reason: string };

/** A token of an answer. The bytes of all of them are those of the text. */
export interface ChatToken {
  readonly bytes: Uint8Array;
  /** Nats, given what stands before it. */
  readonly logprob: number;
}
