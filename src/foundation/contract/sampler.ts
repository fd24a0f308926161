/** Token ids, one signed 32-bit integer each. */
export type TokenIds = Int32Array;

export interface SamplingParameters {
  readonly maxTokens: number;
  /** 0 is greedy; default 1. */
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  /** Token ids that end a sample; kept at its end. */
  readonly stopTokens?: readonly number[];
  /** Texts that end a sample, matched on bytes; kept at its end. */
  readonly stopStrings?: readonly string[];
  /** How many of the most probable tokens are returned at each sampled position; default 0. A capability. */
  readonly topLogprobs?: number;
}

export interface SampleRequest {
  readonly prompt: TokenIds;
  readonly samples: number;
  /** Random numbers depend only on (seed, sample index, position). A non-negative integer below 2^48. */
  readonly seed: number;
  readonly parameters: SamplingParameters;
}

export interface SampledSequence {
  readonly tokens: TokenIds;
  /** Of each sampled token under the model itself: no temperature, no filter. Equal to what `forward` recomputes. */
  readonly logprobs: Float32Array;
  readonly stopReason: "stop" | "length";
  /** Where `topLogprobs` asked for them. */
  readonly top?: TopLogprobs;
  /** Tokens of the prompt that were not computed, because an earlier request began with them; absent where there are none. */
  readonly promptCacheHitTokens?: number;
}

/** The k most probable tokens at each of n positions under the model itself, row by row, the most probable first. */
export interface TopLogprobs {
  readonly k: number;
  /** [n · k]. */
  readonly tokens: TokenIds;
  /** [n · k]; NaN where a position has no prediction: the first of a sequence. */
  readonly logprobs: Float32Array;
}

/** What `logprobs` can return beside a logprob a token, each a capability. */
export interface ScoreOptions {
  readonly signal?: AbortSignal;
  /** How many of the most probable tokens at each position; default 0. */
  readonly top?: number;
}

export interface ScoredSequence {
  /** Of each token given those before it; the first is NaN. */
  readonly logprobs: Float32Array;
  readonly top?: TopLogprobs;
}

/** How certain the model is at each position of a sequence, the first NaN. Nats. */
export interface TokenCertainty {
  /** −Σ_v p(v) log p(v) of the distribution that predicts the token. */
  readonly entropy: Float32Array;
  /** KL(uniform ‖ p) = −log V − (1/V)·Σ_v log p(v) over the V possible tokens (self-certainty, arXiv 2502.18581). */
  readonly selfCertainty: Float32Array;
}

/** Immutable weights to sample from. */
export interface Sampler extends AsyncDisposable {
  readonly id: string;
  /** Which weights these are: `<model id>@<step>`, or a path. Every rollout carries it. */
  readonly weightVersion: string;
  /** One list of `samples` sequences per request, in request order. All waiting requests are batched. */
  sample(
    requests: readonly SampleRequest[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<SampledSequence[][]>;
  /** Per sequence one logprob a token; the first is NaN. */
  logprobs(
    sequences: readonly TokenIds[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<Float32Array[]>;
  /** As `logprobs`, with the most probable tokens at each position. A capability: `topLogprobs`. */
  score?(sequences: readonly TokenIds[], options?: ScoreOptions): Promise<ScoredSequence[]>;
  /** Extension `certainty`. */
  certainty?(
    sequences: readonly TokenIds[],
    options?: { readonly signal?: AbortSignal },
  ): Promise<TokenCertainty[]>;
  /** Extension `embeddings`: per sequence the last layer's normed hidden state, over all positions or at the last one, [D]. */
  embed?(
    sequences: readonly TokenIds[],
    options: { readonly pooling: "mean" | "last"; readonly signal?: AbortSignal },
  ): Promise<Float32Array[]>;
}
