import type { Rollout, SamplingPolicy, TokenIds } from "../../foundation/contract/index.ts";
import { responseOf } from "./attempt.ts";
import { stopTokensOf } from "./context.ts";
import { sampledOf } from "./sampled.ts";

/** What a rollout goes on with: text that is put in its mouth, and how much it may say then. */
export interface Continuation {
  readonly rollout: Rollout;
  /** Follows what it said, without the token that ended it. */
  readonly text: string;
  readonly maxTokens: number;
  readonly seed: number;
}

/**
 * Rollouts that go on after words that they did not choose: these stand among the sampled tokens with the logprobs that the model
 * gives them, so that the whole is one response.
 */
export async function continueRollouts(
  { sampler, tokenizer }: SamplingPolicy,
  continuations: readonly Continuation[],
  signal?: AbortSignal,
): Promise<Rollout[]> {
  if (continuations.length === 0) return [];
  const waiting = signal ? { signal } : {};
  const stopTokens = stopTokensOf(tokenizer);
  const begun = continuations.map(({ rollout, text }) => {
    const said = withoutEnd(rollout, stopTokens);
    return { ...said, forced: tokenizer.encode(text) };
  });
  const prompts = begun.map(({ context, tokens, forced }) => joined(context, tokens, forced));
  const [answers, scores] = await Promise.all([
    sampler.sample(
      continuations.map(({ rollout, maxTokens, seed }, index) => ({
        prompt: prompts[index] as TokenIds,
        samples: 1,
        seed,
        parameters: { maxTokens, temperature: rollout.temperature, stopTokens },
      })),
      waiting,
    ),
    sampler.logprobs(prompts, waiting),
  ]);
  return continuations.map(({ rollout }, index) => {
    const { context, tokens, logprobs, forced } = begun[index] as (typeof begun)[number];
    const more = answers[index]?.[0];
    const whole = joined(tokens, forced, more?.tokens ?? new Int32Array());
    const forcedLogprobs = (scores[index] as Float32Array).subarray(context.length + tokens.length);
    const response = responseOf(tokenizer, stopTokens, {
      tokens: whole,
      stopReason: more?.stopReason ?? "length",
    });
    return {
      ...rollout,
      segments: [
        { kind: "context", tokens: context },
        {
          kind: "sampled",
          tokens: whole,
          logprobs: Float32Array.from([...logprobs, ...forcedLogprobs, ...(more?.logprobs ?? [])]),
        },
      ],
      response,
    };
  });
}

function withoutEnd(rollout: Rollout, stopTokens: readonly number[]) {
  const [context] = rollout.segments;
  const { tokens, logprobs } = sampledOf(rollout);
  const ended = stopTokens.includes(tokens.at(-1) ?? -1);
  const length = tokens.length - (ended ? 1 : 0);
  return {
    context: context?.tokens ?? new Int32Array(),
    tokens: tokens.subarray(0, length),
    logprobs: logprobs.subarray(0, length),
  };
}

function joined(...parts: readonly TokenIds[]): TokenIds {
  return Int32Array.from(parts.flatMap((part) => [...part]));
}
