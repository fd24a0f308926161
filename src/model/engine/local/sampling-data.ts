import type { SampledSequence, SampleRequest } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import { type FrameArrays, type FrameHead, type FrameInput, i32, i64 } from "./frames.ts";

/** What requests must share to run in one call: everything but `maxTokens`, which each has of its own. */
export function sharedParameters({ parameters }: SampleRequest): FrameHead {
  const { temperature = 1, topK, topP, minP, stopTokens = [], stopStrings = [] } = parameters;
  return { temperature, topK, topP, minP, stopTokens, stopStrings };
}

/** The arrays of `sample`. Throws `bad-request` for a seed that is no integer below 2^48. */
export function packRequests(requests: readonly SampleRequest[]): FrameInput {
  const ints = (of: (request: SampleRequest) => number) => i32(Int32Array.from(requests, of));
  return {
    lengths: ints(({ prompt }) => prompt.length),
    samples: ints(({ samples }) => samples),
    maxTokens: ints(({ parameters }) => parameters.maxTokens),
    tokens: i32(...requests.map(({ prompt }) => prompt)),
    seeds: i64(packSeeds(requests)),
  };
}

function packSeeds(requests: readonly SampleRequest[]): BigInt64Array {
  const seeds = new BigInt64Array(requests.length);
  const words = new Int32Array(seeds.buffer);
  for (const [index, { seed }] of requests.entries()) {
    if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 48))
      throw engineError(
        "bad-request",
        `Request ${index} has the seed ${seed}; a seed is an integer from 0 below 2^48.`,
      );
    words[2 * index] = seed | 0;
    words[2 * index + 1] = Math.floor(seed / 2 ** 32);
  }
  return seeds;
}

/** The samples of a reply, request by request, copied out of it so that keeping one does not keep all. */
export function unpackSamples(requests: readonly SampleRequest[], arrays: FrameArrays): SampledSequence[][] {
  const { lengths, reasons, tokens, logprobs } = arrays as {
    lengths: Int32Array;
    reasons: Uint8Array;
    tokens: Int32Array;
    logprobs: Float32Array;
  };
  let row = 0;
  let at = 0;
  return requests.map(({ samples }) =>
    Array.from({ length: samples }, () => {
      const end = at + (lengths[row] ?? 0);
      const sampled: SampledSequence = {
        tokens: tokens.slice(at, end),
        logprobs: logprobs.slice(at, end),
        stopReason: reasons[row] === 0 ? "stop" : "length",
      };
      row += 1;
      at = end;
      return sampled;
    }),
  );
}
