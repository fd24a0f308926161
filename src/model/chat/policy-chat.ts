import { z } from "zod";
import { internalError, readOptions, userError, valueWith } from "../../foundation/base/index.ts";
import type {
  ChatLogprobs,
  ChatModel,
  ChatModelOptions,
  ChatModelReply,
  Message,
  SampledSequence,
  Sampler,
  SamplingPolicy,
  Tokenizer,
} from "../../foundation/contract/index.ts";

const policySchema = z.strictObject({
  role: z.string().min(1),
  sampler: valueWith<Sampler>("sample", "expected a sampler of an engine"),
  tokenizer: valueWith<Tokenizer>("decode", "expected a tokenizer, such as loadTokenizer() returns"),
});

/**
 * Weights to sample from as a model that reads messages, through the chat template that they were taught. Throws a user error
 * `no-chat-template` where there is none, and what template, tokenizer and engine throw when it answers.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "model-"));
 * const { path } = await tiny().prepare(folder, { characters: "0123456789=", projectFolder: folder });
 * await writeFile(join(path, "chat_template.jinja"), "{% for message in messages %}{{ message.content }}=\{% endfor %}");
 * const tokenizer = await loadTokenizer(path);
 * await using engine = await tabular().open({ logFolder: folder });
 * await using sampler = await engine.loadSampler({ source: { kind: "folder", path, seed: 1 } });
 * const model = policyChat({ role: "policy", sampler, tokenizer });
 * const { text } = await model.answer([{ role: "user", content: "12" }], { maxTokens: 4 });
 */
export function policyChat(policy: SamplingPolicy): ChatModel {
  const { role, sampler, tokenizer } = readOptions("policyChat()", policySchema, policy);
  const { chat } = tokenizer;
  if (chat === undefined)
    throw userError(
      "no-chat-template",
      `policyChat(): ${tokenizer.name} has no chat template, so it reads no messages: use an instruction-tuned model, or put its chat_template.jinja into the model's folder.`,
      { model: tokenizer.name },
    );
  const ends = new Set([tokenizer.endToken, ...(tokenizer.stopTokens ?? [])]);
  return {
    name: role,
    description: { policy: role, weights: sampler.weightVersion, tokenizer: tokenizer.name },
    answer: async (messages: readonly Message[], options: ChatModelOptions): Promise<ChatModelReply> => {
      const { maxTokens, temperature, topP, seed = 0, logprobs = false, signal } = options;
      const prompt = chat.prompt(messages);
      const parameters = {
        maxTokens,
        stopTokens: [...ends],
        ...(temperature === undefined ? {} : { temperature }),
        ...(topP === undefined ? {} : { topP }),
      };
      const [[sample] = []] = await sampler.sample(
        [{ prompt, samples: 1, seed, parameters }],
        signal === undefined ? {} : { signal },
      );
      if (sample === undefined) throw internalError("a conversation was answered without a sample");
      const { tokens, stopReason } = sample;
      const length = ends.has(tokens.at(-1) ?? -1) ? tokens.length - 1 : tokens.length;
      const text = tokenizer.decode(tokens.subarray(0, length));
      return {
        text,
        complete: stopReason === "stop",
        logprobs: logprobs ? logprobsOf(sample, length, tokenizer.tokenBytes()) : notAsked,
        tokens: { prompt: prompt.length, answer: tokens.length },
      };
    },
  };
}

const notAsked: ChatLogprobs = { told: false, reason: "they were not asked for" };

function logprobsOf(
  { tokens, logprobs }: SampledSequence,
  length: number,
  tokenBytes: readonly Uint8Array[],
): ChatLogprobs {
  return {
    told: true,
    tokens: Array.from(tokens.subarray(0, length), (token, at) => ({
      bytes: tokenBytes[token] ?? new Uint8Array(0),
      logprob: logprobs[at] as number,
    })),
  };
}
