import type { ChatLogprobs, ChatToken } from "../../foundation/contract/index.ts";

interface SentToken {
  readonly token: string;
  readonly logprob: number;
  /** Absent where an endpoint leaves it out; a token may be a part of a character. */
  readonly bytes?: readonly number[] | null;
}

/**
 * The logprobs that an endpoint sent, if they are those of its text: a number each, and the tokens' bytes, up to one token that
 * ends the answer, are the text's. Anything else is none.
 */
export function logprobsIn(sent: readonly SentToken[] | null | undefined, text: string): ChatLogprobs {
  if (sent == null || (sent.length === 0 && text !== ""))
    return { told: false, reason: "the endpoint sent no logprobs" };
  const tokens: ChatToken[] = [];
  for (const { token, logprob, bytes } of sent) {
    if (typeof logprob !== "number" || !Number.isFinite(logprob) || logprob > 1e-3)
      return { told: false, reason: `the endpoint sent ${String(logprob)} as a logprob` };
    tokens.push({ bytes: bytes == null ? Buffer.from(token) : Uint8Array.from(bytes), logprob });
  }
  const whole = Buffer.from(text);
  const same = (some: readonly ChatToken[]): boolean =>
    Buffer.concat(some.map(({ bytes }) => bytes)).equals(whole);
  if (same(tokens)) return { told: true, tokens };
  // llama.cpp and vLLM may send the token that ended the answer too, which is no part of the text.
  const body = tokens.slice(0, -1);
  if (same(body)) return { told: true, tokens: body };
  return { told: false, reason: "the endpoint's logprobs are of other tokens than its text" };
}
