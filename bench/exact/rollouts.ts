import type { ScoredGroup, Tokenizer } from "whetstone";

/** A response of a reference file. */
export interface GivenResponse {
  readonly tokens: readonly number[];
  /** With which it was sampled; 0 each where that does not matter. */
  readonly logprobs?: readonly number[] | undefined;
  readonly reward: number | null;
  readonly parts?: Readonly<Record<string, number>>;
}

/** Responses to one prompt, all token ids, as one role's rollouts. */
export function groupOfResponses(
  prompt: readonly number[],
  responses: readonly GivenResponse[],
): ScoredGroup {
  const text = prompt.join(" ");
  const item = {
    canonical: text,
    prompt: text,
    difficulty: prompt.length,
    stratum: "made up",
    split: "train",
    source: "made up",
  } as const;
  return {
    item,
    rollouts: responses.map(({ tokens, logprobs, reward, parts = {} }, sample) => ({
      rollout: {
        item,
        role: "solver",
        weightVersion: "start@0",
        segments: [
          { kind: "context", tokens: Int32Array.from(prompt) },
          {
            kind: "sampled",
            tokens: Int32Array.from(tokens),
            logprobs: logprobs === undefined ? new Float32Array(tokens.length) : Float32Array.from(logprobs),
          },
        ],
        response: { text: tokens.join(" "), complete: true },
        temperature: 1,
        seed: 0,
        sample,
      },
      reward,
      parts,
    })),
  };
}

/** All is token ids already. */
export const noTokenizer = {
  name: "none",
  hash: "none",
  vocabularySize: 12,
  endToken: 1,
  encode: () => new Int32Array(),
  decode: () => "",
  tokenBytes: () => [],
} satisfies Tokenizer;
