import type { SampledSequence, SampleRequest, TopLogprobs } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import { checkStopStrings } from "../stop-strings.ts";
import { type FrameArrays, type FrameHead, type FrameInput, i32, i64 } from "./frames.ts";

/**
 * Head and arrays of `sample`: requests of different parameters run together. Throws `bad-request` for numbers that no request
 * can have, for a prompt without tokens, and for a stop string that is no text.
 */
export function packRequests(requests: readonly SampleRequest[]): {
  readonly head: FrameHead;
  readonly arrays: FrameInput;
} {
  const ints = (of: (request: SampleRequest) => number) => i32(Int32Array.from(requests, of));
  for (const request of requests) checkRequest(request);
  const sets = new Map<string, { readonly number: number; readonly parameters: FrameHead }>();
  const which = requests.map((request) => {
    const parameters = parametersOf(request);
    const key = JSON.stringify(parameters);
    const set = sets.get(key) ?? { number: sets.size, parameters };
    sets.set(key, set);
    return set.number;
  });
  return {
    head: { parameters: Array.from(sets.values(), ({ parameters }) => parameters) },
    arrays: {
      lengths: ints(({ prompt }) => prompt.length),
      samples: ints(({ samples }) => samples),
      // More than this no model has positions for; a larger number would wrap.
      maxTokens: ints(({ parameters }) => Math.min(parameters.maxTokens, mostInt)),
      tokens: i32(...requests.map(({ prompt }) => prompt)),
      seeds: i64(packSeeds(requests)),
      parameters: i32(Int32Array.from(which)),
    },
  };
}

const mostInt = 2 ** 31 - 1;

function checkRequest({ prompt, samples, parameters }: SampleRequest): void {
  const { maxTokens, stopStrings = [] } = parameters;
  if (prompt.length === 0) throw engineError("bad-request", "The prompt has no tokens.");
  if (!Number.isInteger(samples) || samples < 1 || samples > mostInt)
    throw engineError("bad-request", `A request for ${samples} samples; it is a whole number from 1 up.`);
  if (!Number.isInteger(maxTokens) || maxTokens < 1)
    throw engineError("bad-request", `maxTokens is ${maxTokens}; it is a whole number from 1 up.`);
  checkStopStrings(stopStrings);
}

/** All but `maxTokens`, which each request has of its own. */
function parametersOf({ parameters }: SampleRequest): FrameHead {
  const { temperature = 1, topK, topP, minP, stopTokens = [], stopStrings = [], topLogprobs } = parameters;
  return { temperature, topK, topP, minP, stopTokens, stopStrings, topLogprobs };
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
  const { lengths, reasons, cached, tokens, logprobs } = arrays as {
    lengths: Int32Array;
    reasons: Uint8Array;
    cached: Int32Array;
    tokens: Int32Array;
    logprobs: Float32Array;
  };
  const top = new TopReader(arrays);
  let row = 0;
  let at = 0;
  return requests.map(({ samples, parameters: { topLogprobs = 0 } }, index) => {
    const promptCacheHitTokens = cached[index] ?? 0;
    return Array.from({ length: samples }, () => {
      const end = at + (lengths[row] ?? 0);
      const sampled: SampledSequence = {
        tokens: tokens.slice(at, end),
        logprobs: logprobs.slice(at, end),
        stopReason: reasons[row] === 0 ? "stop" : "length",
        ...top.next(topLogprobs, end - at),
        ...(promptCacheHitTokens > 0 ? { promptCacheHitTokens } : {}),
      };
      row += 1;
      at = end;
      return sampled;
    });
  });
}

/** The most probable tokens of a reply, one sequence after the other. */
export class TopReader {
  readonly #tokens: Int32Array;
  readonly #logprobs: Float32Array;
  #at = 0;

  constructor({ top_tokens, top_logprobs }: FrameArrays) {
    this.#tokens = (top_tokens as Int32Array | undefined) ?? new Int32Array(0);
    this.#logprobs = (top_logprobs as Float32Array | undefined) ?? new Float32Array(0);
  }

  next(k: number, positions: number): { readonly top?: TopLogprobs } {
    if (k === 0) return {};
    const begin = this.#at;
    this.#at += k * positions;
    const [tokens, logprobs] = [this.#tokens.slice(begin, this.#at), this.#logprobs.slice(begin, this.#at)];
    return { top: { k, tokens, logprobs } };
  }
}
