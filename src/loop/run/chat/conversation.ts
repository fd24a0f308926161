import {
  internalError,
  isWhetstoneError,
  type RandomStream,
  userError,
} from "../../../foundation/base/index.ts";
import type { Message, Sampler, Tokenizer } from "../../../foundation/contract/index.ts";
import { contextTokens, stopTokensOf } from "../../../gro/rollout/index.ts";
import type { WhichWeights } from "../weights.ts";

/** One of those who answer. */
export interface ChatPartner {
  readonly of: WhichWeights;
  /** Which others of those that were asked for are the very same weights. */
  readonly also: readonly WhichWeights[];
  /** The round that made it; 0 is the preparation. */
  readonly round: number;
  readonly checkpoint: string;
}

export interface ChatAnswer extends ChatPartner {
  readonly text: string;
  /** False when the token limit ended it. */
  readonly complete: boolean;
  /** Tokens that were sampled. */
  readonly tokens: number;
}

/** A conversation with a run's models, each with the answers that it gave itself. */
export interface Chat extends AsyncDisposable {
  readonly run: string;
  readonly models: readonly ChatPartner[];
  /** Whether the models know conversations; without a chat template each prompt stands alone. */
  readonly conversational: boolean;
  /** How the task asks: a prompt that the run has shown; null until it has. */
  readonly example: string | null;
  /**
   * The answers of all, in their order. Throws user errors `conversation-too-long`, `text-not-in-vocabulary` and
   * `special-token-in-text`; the conversation is then as it was before.
   */
  ask(prompt: string, options?: { readonly signal?: AbortSignal }): Promise<readonly ChatAnswer[]>;
  /** Forgets what was said. */
  clear(): void;
}

export interface Speaker {
  readonly model: ChatPartner;
  readonly tokenizer: Tokenizer;
  readonly sampler: Sampler;
}

export interface ConversationOptions {
  readonly temperature: number;
  readonly maxTokens: number;
  /** Every turn has a seed of its own. */
  readonly random: RandomStream;
}

/** What speakers say turn by turn; each remembers its own answers. */
export function conversation(
  run: string,
  speakers: readonly Speaker[],
  { temperature, maxTokens, random }: ConversationOptions,
): Omit<Chat, "example" | typeof Symbol.asyncDispose> {
  const said = new Map<Speaker, readonly Message[]>();
  let turn = 0;
  return {
    run,
    models: speakers.map(({ model }) => model),
    conversational: speakers.some(({ tokenizer }) => tokenizer.chat !== undefined),
    ask: async (prompt, { signal } = {}) => {
      const turnSeed = random.fork(turn++).seed();
      const answers = await Promise.all(
        speakers.map(async (speaker) => {
          const { tokenizer, sampler } = speaker;
          const messages = said.get(speaker) ?? [];
          const asked = [...messages, { role: "user", content: prompt }];
          const stopTokens = stopTokensOf(tokenizer);
          const parameters = { maxTokens, temperature, stopTokens };
          const item = tokenizer.chat === undefined ? { prompt } : { prompt, messages: asked };
          const context = contextTokens(tokenizer, item);
          const request = { prompt: context, samples: 1, seed: turnSeed, parameters };
          const [samples] = await sampler
            .sample([request], signal ? { signal } : {})
            .catch((error: unknown) => Promise.reject(namedFault(error, messages.length > 0)));
          const sampled = samples?.[0];
          if (sampled === undefined) throw internalError("a prompt was answered without a sample");
          const { tokens, stopReason } = sampled;
          const ended = stopTokens.includes(tokens.at(-1) ?? -1);
          const text = tokenizer.decode(ended ? tokens.subarray(0, -1) : tokens);
          return { text, complete: stopReason === "stop", tokens: tokens.length, asked };
        }),
      );
      return answers.map(({ asked, ...answer }, index) => {
        const speaker = speakers[index] as Speaker;
        if (speaker.tokenizer.chat !== undefined)
          said.set(speaker, [...asked, { role: "assistant", content: answer.text }]);
        return { ...speaker.model, ...answer };
      });
    },
    clear: () => said.clear(),
  };
}

function namedFault(error: unknown, later: boolean): unknown {
  if (!isWhetstoneError(error) || error.code !== "too-long") return error;
  const advice = later ? "begin a new conversation (`/clear`)" : "ask something shorter";
  return userError("conversation-too-long", `This no longer fits the model (${error.message}): ${advice}.`);
}
