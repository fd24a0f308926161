import type { SampledSequence } from "../../../foundation/contract/index.ts";

/**
 * The sequence up to the token that completes a stop string, in the bytes that its tokens stand for here. A server cuts by
 * its own tokenizer; where that is another, or none, this is what makes the cut. What follows a token does not change what
 * came before it, so a sample that is cut late is the one that is cut at once.
 */
export function cutAtStop(
  sequence: SampledSequence,
  stopStrings: readonly string[],
  tokenBytes: readonly Uint8Array[],
): SampledSequence {
  if (stopStrings.length === 0) return sequence;
  const stops = stopStrings.map((text) => Buffer.from(text));
  const longest = Math.max(...stops.map(({ length }) => length));
  let tail = Buffer.alloc(0);
  for (const [place, token] of sequence.tokens.entries()) {
    const written = Buffer.concat([tail, tokenBytes[token] ?? new Uint8Array(0)]);
    if (stops.some((stop) => written.includes(stop))) return cut(sequence, place + 1);
    tail = written.subarray(Math.max(0, written.length - longest));
  }
  return sequence;
}

function cut({ tokens, logprobs, top }: SampledSequence, length: number): SampledSequence {
  return {
    tokens: tokens.slice(0, length),
    logprobs: logprobs.slice(0, length),
    stopReason: "stop",
    ...(top && {
      top: {
        k: top.k,
        tokens: top.tokens.slice(0, length * top.k),
        logprobs: top.logprobs.slice(0, length * top.k),
      },
    }),
  };
}
