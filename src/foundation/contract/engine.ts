import type { Sampler, TokenIds } from "./sampler.ts";

/**
 * The one door to tensors (design: the brain is TypeScript, tensors stay behind the engine). It speaks token ids, weights,
 * losses and samples with the verbs of the Tinker API; it knows no task, reward, round or file of the user's.
 */

/**
 * One training sequence. Every array is as long as `tokens`; position i predicts `targets[i]`. Which arrays are needed
 * depends on the loss: `weights` for cross_entropy, `advantages` and `logprobs` (of the behaviour policy) for
 * the other losses, where `mask` (default 1) says which positions count.
 */
export interface Datum {
  readonly tokens: TokenIds;
  readonly targets: TokenIds;
  readonly weights?: Float32Array;
  readonly advantages?: Float32Array;
  readonly logprobs?: Float32Array;
  readonly mask?: Float32Array;
  /** Bounds of the ratio at each position, instead of the loss's own; for ppo, cispo and gspo. */
  readonly clipLow?: Float32Array;
  readonly clipHigh?: Float32Array;
}

/**
 * Losses are sums over positions, never divided by anything (Tinker): two calls and a step equal one call on both. With
 * ρ = exp(logp − logprobs), [·] a value that carries no gradient, and every sum over positions weighed by `mask`:
 * - cross_entropy −Σ w·logp; weights may be negative;
 * - importance_sampling −Σ ρA;
 * - ppo −Σ min(ρA, clip(ρ, clipLow, clipHigh)·A) (arXiv 1707.06347);
 * - cispo −Σ [clip(ρ, clipLow, clipHigh)]·A·logp (arXiv 2506.13585);
 * - dro −Σ (A·logp − ½β(logp − logprobs)²) (arXiv 2405.19107);
 * - gspo as ppo, with the sequence's own ratio s = exp(mean of logp − logprobs over its mask) in the place of ρ, its
 *   gradient reaching every position (arXiv 2507.18071, GSPO-token).
 */
export type Loss =
  | { readonly name: "cross_entropy" }
  | { readonly name: "importance_sampling" }
  /** Bounds .8 and 1.2 if left out; of cispo 0 and 4, as in its papers no bound below. */
  | { readonly name: "ppo" | "cispo" | "gspo"; readonly clipLow?: number; readonly clipHigh?: number }
  /** Beta .05 if left out. */
  | { readonly name: "dro"; readonly beta?: number };
export type LossName = Loss["name"];

/** Which target logprobs come back: all, those at positions that count (NaN elsewhere), or none. */
export type ReturnedLogprobs = "all" | "weighted" | "none";

export interface ForwardOptions extends CallOptions {
  readonly loss: Loss;
  readonly logprobs?: ReturnedLogprobs;
}

export interface CallOptions {
  /** Monotone per model, from 1; given only to retry: a sequence that was applied is answered from its record, not run again. */
  readonly sequence?: number;
  readonly signal?: AbortSignal;
}

export interface ForwardResult {
  readonly sequence: number;
  /** Σ of the loss over all positions. */
  readonly lossSum: number;
  /** Number of positions that count. */
  readonly positions: number;
  /** Per datum, as asked by `logprobs`; empty arrays when `none`. */
  readonly logprobs: readonly Float32Array[];
}

/** AdamW with decoupled decay (arXiv 1711.05101); `gradientClipNorm` 0 clips nothing. `sgd` is a capability. */
export interface OptimizerStep extends CallOptions {
  readonly optimizer?: "adamw" | "sgd";
  readonly learningRate: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
  readonly gradientClipNorm?: number;
}

export interface OptimizerResult {
  readonly sequence: number;
  /** Optimiser steps applied so far: the weight version. */
  readonly step: number;
  /** Norm of the accumulated gradient before clipping; NaN where the engine does not tell it ({@link EngineCapabilities.untold}). */
  readonly gradientNorm: number;
}

export interface SaveOptions extends CallOptions {
  /** Folder to write; it must not exist. Written under a temporary name, synced, renamed. */
  readonly path: string;
  /** Also the optimiser's moments (default true). */
  readonly optimizer?: boolean;
}

/** Trainable weights that a worker holds. Calls are pipelined: they run in the order in which they were made. */
export interface EngineModel extends AsyncDisposable {
  readonly id: string;
  readonly info: ModelInfo;
  forward(data: readonly Datum[], options: ForwardOptions): Promise<ForwardResult>;
  /** Adds to the gradients. */
  forwardBackward(data: readonly Datum[], options: ForwardOptions): Promise<ForwardResult>;
  /** Applies the gradients and clears them. */
  optimStep(options: OptimizerStep): Promise<OptimizerResult>;
  save(
    options: SaveOptions,
  ): Promise<{ readonly sequence: number; readonly path: string; readonly bytes: number }>;
  /** The weights as they are now; later steps do not change it. */
  snapshot(options?: SnapshotOptions): Promise<Sampler>;
  /**
   * Extension `gradient-features`: per datum its own gradient of the loss, projected to `dimensions` numbers by a random
   * matrix of ±1/√dimensions that depends on `seed` alone (TRAK, arXiv 2303.14186). Gradients and weights stay as they are.
   */
  gradientFeatures?(data: readonly Datum[], options: GradientFeatureOptions): Promise<Float32Array[]>;
}

export interface SnapshotOptions extends CallOptions {
  /** What it is wanted for, which changes no result: an engine that has something idle may lay a copy there where that is worth it. */
  readonly expected?: ExpectedSampling;
}

export interface ExpectedSampling {
  /** That will be sampled, at most. */
  readonly tokens: number;
  /** The model takes steps meanwhile. */
  readonly whileTraining: boolean;
}

export interface GradientFeatureOptions {
  readonly loss: Loss;
  readonly dimensions: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** Low-rank adapters of linear layers (arXiv 2106.09685): W + (alpha/rank)·B·A, with A drawn and B zero at first. */
export interface LoraOptions {
  readonly rank: number;
  /** Default 32, as the Tinker API has it. */
  readonly alpha?: number;
  /** Which linear layers; by default attention and MLP. */
  readonly modules?: readonly LoraModule[];
  /** Of the drawing; default 0. */
  readonly seed?: number;
}

/** The projections of attention, those of the MLP, the output head. */
export type LoraModule = "attention" | "mlp" | "unembed";

export interface ModelInfo {
  readonly parameters: number;
  readonly vocabularySize: number;
  /** Optimiser steps applied when the model was made: 0, or what the checkpoint says. */
  readonly step: number;
  /** Longest sequence, where the model has one. */
  readonly maxPositions?: number;
  /** Of adapters; absent where all weights are trained. */
  readonly lora?: Required<Omit<LoraOptions, "seed">>;
  /** How far equal quantities of it may differ in its precision; absent where the engine's {@link EngineCapabilities.tolerance} says it. */
  readonly tolerance?: Tolerance;
}

/** Where weights come from. */
export type ModelSource =
  /** A Hugging Face folder; without weights in it they are drawn from `seed`. */
  | { readonly kind: "folder"; readonly path: string; readonly seed?: number }
  /** What `save` wrote; of adapters, a PEFT folder. */
  | {
      readonly kind: "checkpoint";
      readonly path: string;
      readonly optimizer: boolean;
      /** The folder of the weights under adapters, where it is not the one that their config names. */
      readonly base?: string;
    };

/**
 * What passes compute with, and what is kept. `fp32`: weights, gradients and moments; `mixed`: passes with weights rounded to
 * bf16, what is trained staying fp32 underneath; `bf16`: weights, gradients and moments are kept in bf16, half the memory.
 * To sample from, the last two are one.
 */
export type Precision = "fp32" | "mixed" | "bf16";

/** How far equal quantities may differ in one precision. */
export interface Tolerance {
  /** Any one logprob as it was sampled and as it is recomputed. */
  readonly logprob: number;
  /** The same, on average over many tokens. */
  readonly meanLogprob: number;
  /** A gradient accumulated in parts and in one batch, relative to its size. */
  readonly gradient: number;
}

export interface LoadOptions {
  readonly source: ModelSource;
  readonly precision?: Precision;
  /** Adapters to train in place of the weights; a capability. Models of one base and precision share its memory. */
  readonly lora?: LoraOptions;
  /** Recompute activations instead of keeping them: less memory, a third more time. A capability. */
  readonly gradientCheckpointing?: boolean;
  /** Each token id's bytes, so that stop strings are matched without a tokenizer. */
  readonly tokenBytes?: readonly Uint8Array[];
  readonly signal?: AbortSignal;
}

export interface EngineCapabilities {
  readonly engine: string;
  readonly device: string;
  readonly losses: readonly LossName[];
  readonly optimizers: readonly ("adamw" | "sgd")[];
  readonly precisions: readonly Precision[];
  /** Values of `model_type` that it runs, those on its fast path first. */
  readonly architectures: readonly string[];
  readonly stopStrings: boolean;
  readonly topK: boolean;
  /** Largest rank of adapters; 0 where there are none. */
  readonly loraRank: number;
  readonly gradientCheckpointing: boolean;
  /** Most probable tokens that may be asked for at a position; 0 where they cannot. */
  readonly topLogprobs: number;
  /** What it can do beyond the verbs of the Tinker API. */
  readonly extensions: readonly EngineExtension[];
  /** Where equal calls give equal bits, on one machine with one set of versions; none where absent. */
  readonly deterministic?: readonly Determinism[];
  /** Weights of cross_entropy have the size and the sign that they are given; false where a server makes others of them. */
  readonly signedWeights?: boolean;
  /** `gradientClipNorm` is heeded; false where a server ignores it. */
  readonly gradientClipping?: boolean;
  /** `weightDecay` is heeded; false where a server ignores it, or does something else. */
  readonly weightDecay?: boolean;
  /** `topP` is heeded; false where a server ignores it. */
  readonly topP?: boolean;
  /** `minP` is heeded; false where it cannot be asked for. */
  readonly minP?: boolean;
  /** A checkpoint can be loaded without its optimiser's moments; false where a server loads them all the same. */
  readonly freshOptimizer?: boolean;
  /** Numbers that it does not tell, NaN where they would stand; absent where it tells all. */
  readonly untold?: readonly "gradient-norm"[];
  /** What could not be tried where this was made, in words; empty where everything was. */
  readonly untested: readonly string[];
  /** Workers that compute at the same time. */
  readonly workers: number;
  /** What it charges; absent where it charges nothing, or nobody said what. */
  readonly prices?: EnginePrices;
  /** How far two equal quantities may differ, in each of the precisions. */
  readonly tolerance: Readonly<Record<Precision, Tolerance>>;
}

/** What a million tokens cost. */
export interface EnginePrices {
  /** Its code, such as `USD`. */
  readonly currency: string;
  /** Tokens that are read: prompts, and sequences whose logprobs are asked for. */
  readonly read: number;
  readonly sampled: number;
  readonly trained: number;
}

/**
 * `calls`: models and samplers that are made alike, with the same calls in the same order, whatever other ones do meanwhile and
 * whether or not each call is waited for; `engines`: the same in another engine that is opened alike; `batches`: a sequence's
 * logprobs and samples, whatever other sequences are in its call.
 */
export type Determinism = "calls" | "engines" | "batches";

/** `embeddings`: `Sampler.embed`; `certainty`: `Sampler.certainty`; `gradient-features`: `EngineModel.gradientFeatures`. */
export type EngineExtension = "embeddings" | "certainty" | "gradient-features";

/** What a run, or a part of one, asks of an engine beyond the least that every engine can. */
export interface EngineNeeds {
  readonly losses?: readonly LossName[];
  readonly optimizers?: EngineCapabilities["optimizers"];
  readonly precision?: Precision;
  /** Of adapters. */
  readonly loraRank?: number;
  readonly gradientCheckpointing?: boolean;
  readonly stopStrings?: boolean;
  readonly topK?: boolean;
  /** Most probable tokens at a position. */
  readonly topLogprobs?: number;
  readonly extensions?: readonly EngineExtension[];
  /** Weights of cross_entropy that are negative, or whose size matters: those of a loss without a name are both. */
  readonly signedWeights?: boolean;
  /** Steps whose gradient is clipped to a norm. */
  readonly gradientClipping?: boolean;
  /** Steps that shrink the weights. */
  readonly weightDecay?: boolean;
  /** Samples of the likeliest tokens that hold so much of the probability. */
  readonly topP?: boolean;
  /** Weights of a checkpoint that go on with a new optimiser. */
  readonly freshOptimizer?: boolean;
  /** The gradient's norm before clipping, with every step. */
  readonly gradientNorm?: boolean;
  /** Where equal calls must give equal bits. */
  readonly deterministic?: readonly Determinism[];
  /** It says what it charges. */
  readonly prices?: boolean;
}

export interface EngineCost {
  /** Seconds of computing, summed over workers. */
  readonly busySeconds: number;
  /** Wall seconds since the workers were ready, times workers. */
  readonly availableSeconds: number;
  readonly tokensSampled: number;
  readonly tokensTrained: number;
  readonly optimizerSteps: number;
  /** Tokens of prompts, once for all samples of a request, and of sequences that were only scored; absent where not counted. */
  readonly tokensRead?: number;
}

export interface Engine extends AsyncDisposable {
  readonly name: string;
  /** Starts what must be started; called by every other verb too. */
  capabilities(): Promise<EngineCapabilities>;
  /** Trainable weights on the least loaded worker. */
  createModel(options: LoadOptions): Promise<EngineModel>;
  /** Weights to sample from only. They may be held by several workers at once, which share the requests. */
  loadSampler(options: LoadOptions): Promise<Sampler>;
  cost(): EngineCost;
}
