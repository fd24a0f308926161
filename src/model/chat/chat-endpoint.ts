import type OpenAI from "openai";
import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type {
  ChatModel,
  ChatModelOptions,
  ChatModelReply,
  Message,
} from "../../foundation/contract/index.ts";
import { logprobsIn } from "./endpoint-logprobs.ts";

/** Loaded when something is asked: whoever asks nothing need not wait for it. */
const sdk = () => import("./endpoint-client.ts");

const optionsSchema = z.strictObject({
  model: z.string().min(1),
  baseUrl: z.url({ protocol: /^https?$/ }).optional(),
  apiKey: z.string().min(1).optional(),
  timeoutMs: z.number().int().min(1).default(120_000),
  retries: z.number().int().min(0).max(20).default(3),
});

export interface ChatEndpointOptions {
  /** The endpoint's name for the model. */
  readonly model: string;
  /** What comes before `/chat/completions`; default `$OPENAI_BASE_URL`, else OpenAI's own. */
  readonly baseUrl?: string;
  /** Default `$OPENAI_API_KEY`; an endpoint of one's own may need none. It is not recorded. */
  readonly apiKey?: string;
  /** Of one try; default 120,000. */
  readonly timeoutMs?: number;
  /** Tries beyond the first, where the endpoint is busy or fails, with growing pauses; default 3. */
  readonly retries?: number;
}

/**
 * A model behind an OpenAI-compatible endpoint (`/chat/completions`): a hosted one, vLLM, llama.cpp, Ollama. Logprobs that the
 * endpoint does not send are said to be missing. Throws a user error `invalid-option`; an answer throws user errors
 * `endpoint-key-missing`, `endpoint-refused-key` and `endpoint-refused`, and environment errors `endpoint-unreachable`,
 * `endpoint-timeout` and `endpoint-failed`.
 *
 * @example
 * const judge = chatEndpoint({ baseUrl: "http://127.0.0.1:8080/v1", model: "qwen2.5-7b-instruct" });
 * judge.description; // { model: "qwen2.5-7b-instruct", baseUrl: "http://127.0.0.1:8080/v1" }
 */
export function chatEndpoint(options: ChatEndpointOptions): ChatModel {
  const { model, baseUrl, apiKey, timeoutMs, retries } = readOptions(
    "chatEndpoint()",
    optionsSchema,
    options,
  );
  let client: OpenAI | undefined;
  /** What this endpoint was found not to take. */
  const lacks = { logprobs: false, maxTokens: false };
  const ask = async (
    messages: readonly Message[],
    { maxTokens, temperature, topP, seed, logprobs = false, signal }: ChatModelOptions,
  ): Promise<ChatModelReply> => {
    client ??= (await sdk()).clientOf({ baseUrl, apiKey, timeoutMs, retries });
    const asksLogprobs = logprobs && !lacks.logprobs;
    const completion = await client.chat.completions.create(
      {
        model,
        messages: messages.map(({ role, content }) => ({
          role,
          content,
        })) as OpenAI.ChatCompletionMessageParam[],
        ...(lacks.maxTokens ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens }),
        ...(seed === undefined ? {} : { seed }),
        ...(temperature === undefined ? {} : { temperature }),
        ...(topP === undefined ? {} : { top_p: topP }),
        ...(asksLogprobs ? { logprobs: true } : {}),
      },
      signal === undefined ? {} : { signal },
    );
    return replyOf(completion, logprobs, lacks.logprobs);
  };
  return {
    name: model,
    description: { model, ...(baseUrl === undefined ? {} : { baseUrl: withoutCredentials(baseUrl) }) },
    answer: async (messages, given) => {
      // Each thing is found missing once, so this ends.
      for (;;)
        try {
          return await ask(messages, given);
        } catch (error) {
          given.signal?.throwIfAborted();
          const { endpointError, isAbout } = await sdk();
          if (!lacks.maxTokens && isAbout(error, "max_completion_tokens")) lacks.maxTokens = true;
          else if (!lacks.logprobs && given.logprobs === true && isAbout(error, "logprobs"))
            lacks.logprobs = true;
          else throw endpointError(error, { model, baseUrl: client?.baseURL ?? baseUrl ?? "" });
        }
    },
  };
}

function replyOf(
  { choices, usage }: OpenAI.ChatCompletion,
  asked: boolean,
  lacksLogprobs: boolean,
): ChatModelReply {
  const [choice] = choices;
  if (choice === undefined) throw new TypeError("the answer holds no choice");
  const text = choice.message.content ?? choice.message.refusal ?? "";
  return {
    text,
    complete: choice.finish_reason !== "length",
    logprobs: !asked
      ? { told: false, reason: "they were not asked for" }
      : lacksLogprobs
        ? { told: false, reason: "the endpoint refuses to tell them" }
        : logprobsIn(choice.logprobs?.content, text),
    ...(usage ? { tokens: { prompt: usage.prompt_tokens, answer: usage.completion_tokens } } : {}),
  };
}

function withoutCredentials(address: string): string {
  const url = new URL(address);
  if (url.username === "" && url.password === "" && url.search === "") return address;
  [url.username, url.password, url.search] = ["", "", ""];
  return url.href;
}
