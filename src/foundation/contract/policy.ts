import type { EngineModel, EngineNeeds } from "./engine.ts";
import type { Item } from "./items.ts";
import type { Answer } from "./rollout.ts";
import type { Sampler } from "./sampler.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Weights to train, with the tokenizer that speaks for them. */
export interface Policy {
  readonly role: string;
  readonly model: EngineModel;
  readonly tokenizer: Tokenizer;
}

/** Weights to sample from, with their tokenizer. */
export interface SamplingPolicy {
  readonly role: string;
  readonly sampler: Sampler;
  readonly tokenizer: Tokenizer;
}

export interface HarnessRequest {
  readonly policy: SamplingPolicy;
  /** The roles that the harness {@link Harness.asks}, as they are delivered with the policy. */
  readonly asked?: readonly SamplingPolicy[];
  readonly items: readonly Item[];
  /** Token limit of one attempt at an item. */
  readonly maxTokens: (item: Item) => number;
  /** Seeds are derived from it and the item's canonical form: the same item gets the same numbers in any batch. */
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (answered: number) => void;
}

/** Everything around the weights at inference: prompt, decoding, reasoning strategy. */
export interface Harness {
  readonly name: string;
  /** What defines it, for the protocol hash. */
  readonly description: Readonly<Record<string, string | number | boolean>>;
  /** Samples taken per item: the cost relative to one greedy answer. */
  readonly samplesPerItem: number;
  /** Roles whose weights it needs beside those that answer: the method must deliver them. */
  readonly asks?: readonly string[];
  /** Of the engine, beyond sampling by temperature and top-p. */
  readonly needs?: EngineNeeds;
  answer(request: HarnessRequest): Promise<Answer[]>;
}
