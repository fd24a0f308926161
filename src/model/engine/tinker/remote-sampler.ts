import { waitFor } from "../../../foundation/base/index.ts";
import type {
  SampledSequence,
  SampleRequest,
  Sampler,
  SamplingParameters,
  ScoredSequence,
  ScoreOptions,
  TokenCertainty,
  TokenIds,
  TopLogprobs,
} from "../../../foundation/contract/index.ts";
import { checkTokens } from "../datum.ts";
import { engineError } from "../engine-error.ts";
import { unreadable } from "./connection.ts";
import { parts, refuseWithout } from "./extensions.ts";
import { foreignSeed, refuseFilters } from "./foreign-data.ts";
import type { RemoteSession } from "./remote-session.ts";
import type { ServerTraits } from "./server-traits.ts";
import { cutAtStop } from "./stop-strings.ts";
import type { WireArrays } from "./wire/arrays.ts";
import { writeReading } from "./wire/extensions.ts";
import type { WireSamples } from "./wire/sample-response.ts";

export interface RemoteSamplerOptions {
  readonly id: string;
  readonly weightVersion: string;
  readonly session: RemoteSession;
  readonly traits: Pick<ServerTraits, "extensions" | "ours" | "topK" | "topP">;
  readonly tokenBytes: readonly Uint8Array[] | undefined;
  readonly vocabularySize: number;
  /** Tells the server that nobody draws from it any more. */
  readonly release: () => Promise<void>;
}

interface Waiting {
  readonly signal?: AbortSignal;
}

/** Requests that are under way at once. */
const mostAtOnce = 64;
/** What one request of an extension reads: half a megabyte at most, so that none holds the others up. */
const mostRead = { members: 256, cost: 2 ** 17 };

/** Weights on a server. Each request is one of the server's, and it batches them. */
export class RemoteSampler implements Sampler {
  readonly id: string;
  readonly weightVersion: string;
  readonly #options: RemoteSamplerOptions;
  #requests = 0;
  #disposed = false;

  constructor(options: RemoteSamplerOptions) {
    this.id = options.id;
    this.weightVersion = options.weightVersion;
    this.#options = options;
  }

  async sample(requests: readonly SampleRequest[], { signal }: Waiting = {}): Promise<SampledSequence[][]> {
    const { session, tokenBytes, traits } = this.#options;
    for (const { prompt } of requests) this.#checkPrompt(prompt);
    for (const { parameters } of requests) refuseFilters(parameters, traits);
    const bodies = requests.map((request) => sampleBody(request, tokenBytes, traits));
    const drawn = await this.#all(bodies, signal);
    return drawn.map(({ sequences }, index) => {
      const { samples, parameters, prompt } = requests[index] as SampleRequest;
      session.tally.tokensRead += prompt.length;
      this.#checkDrawn(sequences, samples);
      const { stopStrings = [], topLogprobs = 0 } = parameters;
      for (const { top, tokens } of sequences) checkTop(top, topLogprobs, tokens.length);
      const cut = sequences.map((one) => cutAtStop(one, stopStrings, tokenBytes ?? []));
      for (const { tokens } of cut) session.tally.tokensSampled += tokens.length;
      return cut;
    });
  }

  async logprobs(sequences: readonly TokenIds[], { signal }: Waiting = {}): Promise<Float32Array[]> {
    const scored = await this.score(sequences, signal === undefined ? {} : { signal });
    return scored.map(({ logprobs }) => logprobs);
  }

  async score(
    sequences: readonly TokenIds[],
    { signal, top = 0 }: ScoreOptions = {},
  ): Promise<ScoredSequence[]> {
    for (const tokens of sequences) this.#checkPrompt(tokens);
    const scored = await this.#all(
      sequences.map((tokens) => scoreBody(tokens, top)),
      signal,
    );
    for (const { length } of sequences) this.#options.session.tally.tokensRead += length;
    return scored.map((one, index) => {
      const { length } = sequences[index] as TokenIds;
      checkTop(one.topPromptLogprobs, top, length);
      return {
        logprobs: promptLogprobs(one, length),
        ...(one.topPromptLogprobs && { top: one.topPromptLogprobs }),
      };
    });
  }

  /** Throws `unsupported` where the server has no `certainty`. */
  async certainty(sequences: readonly TokenIds[], { signal }: Waiting = {}): Promise<TokenCertainty[]> {
    refuseWithout(this.#options.traits, "certainty");
    const [entropies = [], certainties = []] = await this.#read("whetstone/certainty", sequences, signal, [
      "entropy",
      "self_certainty",
    ]);
    return sequences.map(({ length }, index) => {
      const [entropy, selfCertainty] = [entropies[index], certainties[index]];
      if (entropy?.length !== length || selfCertainty?.length !== length)
        throw unreadable("it does not hold a certainty for every token");
      return { entropy, selfCertainty };
    });
  }

  /** Throws `unsupported` where the server has no `embeddings`. */
  async embed(
    sequences: readonly TokenIds[],
    { pooling, signal }: Waiting & { readonly pooling: "mean" | "last" },
  ): Promise<Float32Array[]> {
    refuseWithout(this.#options.traits, "embeddings");
    const path = "whetstone/embed";
    const [embeddings = []] = await this.#read(path, sequences, signal, ["embeddings"], pooling);
    const width = embeddings[0]?.length;
    if (width === 0 || embeddings.some(({ length }) => length !== width))
      throw unreadable("its embeddings are not of one width");
    return embeddings;
  }

  /** The arrays of these names, each with a vector a sequence. */
  async #read(
    path: string,
    sequences: readonly TokenIds[],
    signal: AbortSignal | undefined,
    names: readonly string[],
    pooling = "",
  ): Promise<Float32Array[][]> {
    for (const tokens of sequences) this.#checkPrompt(tokens);
    const { connection, tally } = this.#options.session;
    const divided = parts(sequences, ({ length }) => length, mostRead);
    const bodies = divided.map((members) => {
      const chunked = members.map((tokens) => [{ kind: "tokens", tokens: tokens.slice() } as const]);
      return (sequence: number) =>
        writeReading({ samplerId: this.id, sequence, sequences: chunked, pooling });
    });
    const told = await this.#each(bodies, signal, (bodyOf, sequence) =>
      connection.arrays(path, bodyOf(sequence)),
    );
    for (const { length } of sequences) tally.tokensRead += length;
    return names.map((name) => told.flatMap((arrays, at) => listOf(arrays, name, divided[at]?.length)));
  }

  /** A server may not look. Throws `bad-request` and `token-out-of-range`. */
  #checkPrompt(tokens: TokenIds): void {
    if (tokens.length === 0) throw engineError("bad-request", "A prompt has at least one token.");
    checkTokens(tokens, this.#options.vocabularySize, "The prompt");
  }

  /** Throws `server-refused` for samples that were not asked for so. */
  #checkDrawn(sequences: readonly SampledSequence[], samples: number): void {
    if (sequences.length !== samples)
      throw unreadable(`it holds ${sequences.length} samples, and ${samples} were asked for`);
    for (const { tokens, logprobs } of sequences) {
      if (tokens.length !== logprobs.length || tokens.length === 0)
        throw unreadable(`a sample has ${tokens.length} tokens and ${logprobs.length} logprobs`);
      if (!tokens.every((token) => token >= 0 && token < this.#options.vocabularySize))
        throw unreadable("a sample holds a token that the model has not");
    }
  }

  #all(bodies: readonly object[], signal: AbortSignal | undefined): Promise<WireSamples[]> {
    const { connection } = this.#options.session;
    return this.#each(bodies, signal, (body, sequence) =>
      connection.samples({ sampling_session_id: this.id, seq_id: sequence, ...body }),
    );
  }

  /** Sends a request for each, under a number of its own; results are in their order. */
  async #each<M, T>(
    members: readonly M[],
    signal: AbortSignal | undefined,
    send: (member: M, sequence: number) => Promise<T>,
  ): Promise<T[]> {
    signal?.throwIfAborted();
    if (this.#disposed) throw engineError("unknown-sampler", `The sampler ${this.id} was given back.`);
    const { session } = this.#options;
    const results: T[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < members.length && signal?.aborted !== true) {
        const index = next++;
        results[index] = await send(members[index] as M, this.#requests++).catch((error: unknown) => {
          // Nobody will see what the others bring.
          next = members.length;
          throw error;
        });
      }
    };
    const workers = Array.from({ length: Math.min(mostAtOnce, members.length) }, work);
    await waitFor(
      session.onHeld(() => Promise.all(workers)),
      signal,
    );
    return results;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#options.release().catch(() => undefined);
  }
}

/** Throws `server-refused` where there is not a vector for each of that many. */
function listOf(arrays: WireArrays, name: string, count: number | undefined): readonly Float32Array[] {
  const list = arrays[name];
  if (list === undefined || list.length !== count)
    throw unreadable(`it holds ${list?.length ?? 0} vectors "${name}", and ${count} were asked for`);
  return list;
}

/** The API's form of a request. Throws `bad-request` for what JSON cannot say, and for stop strings without tokens' bytes. */
function sampleBody(
  { prompt, samples, seed, parameters }: SampleRequest,
  tokenBytes: readonly Uint8Array[] | undefined,
  { ours }: Pick<ServerTraits, "ours">,
): object {
  checkFinite(parameters);
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 48))
    throw engineError("bad-request", `The seed ${seed} is no integer from 0 below 2^48.`);
  const { maxTokens, temperature = 1, topK, topP = 1, minP = 0 } = parameters;
  const { stopTokens = [], stopStrings = [], topLogprobs = 0 } = parameters;
  if (stopStrings.length > 0 && tokenBytes === undefined)
    throw engineError(
      "bad-request",
      "Stop strings need the tokens' bytes, which the model was created without.",
    );
  if (stopStrings.includes("")) throw engineError("bad-request", "A stop string has at least one character.");
  if (topK !== undefined && topK < 0) throw engineError("bad-request", `topK is ${topK}, and at least 0.`);
  if (minP !== 0 && !ours)
    throw engineError(
      "bad-request",
      `minP is ${minP}, and the Tinker API has no word for it: this server would ignore it. Leave it out, or use topP.`,
    );
  const both = ours && stopTokens.length > 0 && stopStrings.length > 0;
  return {
    prompt: { chunks: [{ type: "encoded_text", tokens: Array.from(prompt) }] },
    num_samples: samples,
    sampling_params: {
      max_tokens: maxTokens,
      seed: ours ? seed : foreignSeed(seed),
      // The API takes stops of one kind; of two, the texts go where only our server looks, and elsewhere the cut is made here.
      stop: stopTokens.length > 0 ? stopTokens : stopStrings,
      temperature,
      top_k: topK === undefined || topK === 0 ? -1 : topK,
      top_p: topP,
      ...(minP === 0 ? {} : { min_p: minP }),
      ...(both ? { stop_strings: stopStrings } : {}),
    },
    topk_sample_logprobs: topLogprobs,
  };
}

function scoreBody(tokens: TokenIds, top: number): object {
  return {
    prompt: { chunks: [{ type: "encoded_text", tokens: Array.from(tokens) }] },
    num_samples: 1,
    sampling_params: { max_tokens: 1, seed: 0, stop: [], temperature: 0 },
    prompt_logprobs: true,
    topk_prompt_logprobs: top,
  };
}

/** Throws `server-refused` where the most probable tokens of so many positions were asked for, and are not there. */
function checkTop(top: TopLogprobs | undefined, k: number, positions: number): void {
  if (k === 0) return;
  if (top === undefined) throw unreadable("it does not hold the most probable tokens, which were asked for");
  const { tokens, logprobs } = top;
  if (top.k !== k || tokens.length !== k * positions || logprobs.length !== tokens.length)
    throw unreadable(
      `it holds ${tokens.length} most probable tokens, ${top.k} a position, and ${k} of ${positions} positions were asked for`,
    );
}

/** One a token, the first NaN; a server may leave that out. */
function promptLogprobs({ promptLogprobs: logprobs }: WireSamples, length: number): Float32Array {
  if (logprobs?.length === length) return logprobs;
  if (logprobs?.length === length - 1) return Float32Array.of(Number.NaN, ...logprobs);
  throw unreadable("it does not hold the prompt's logprobs, which were asked for");
}

function checkFinite(parameters: SamplingParameters): void {
  for (const [name, value] of Object.entries(parameters))
    if (typeof value === "number" && !Number.isFinite(value))
      throw engineError("bad-request", `"${name}" must be a finite number, not ${value}.`);
}
