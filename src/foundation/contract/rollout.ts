import type { TokenIds } from "./engine.ts";
import type { Item, Response, Verdict } from "./items.ts";

/** A stretch of a rollout that was given to the policy, or written by it. */
export type Segment =
  | { readonly kind: "context"; readonly tokens: TokenIds }
  | { readonly kind: "sampled"; readonly tokens: TokenIds; readonly logprobs: Float32Array };

/** One attempt at an item. */
export interface Rollout {
  readonly item: Item;
  readonly role: string;
  /** Which weights wrote it. */
  readonly weightVersion: string;
  readonly segments: readonly Segment[];
  readonly response: Response;
  readonly temperature: number;
  readonly seed: number;
  readonly sample: number;
}

/** The attempts at one item, of one role or of several. */
export interface RolloutGroup {
  readonly item: Item;
  readonly rollouts: readonly Rollout[];
}

/** What a reward says of one rollout: a number, or nothing (void: it never trains). */
export interface ScoredRollout {
  readonly rollout: Rollout;
  readonly reward: number | null;
  readonly parts: Readonly<Record<string, number>>;
}

export interface ScoredGroup {
  readonly item: Item;
  readonly rollouts: readonly ScoredRollout[];
}

/** One training datum in words of the run: token ids of context and response, and what it came from. */
export interface Example {
  readonly context: TokenIds;
  readonly response: TokenIds;
  /** Canonical form of the item. */
  readonly item: string;
  readonly difficulty: number;
  /** `demonstration`, or the weight version that wrote the response. */
  readonly origin: string;
}

/** An answer that a harness gives to an item, with the rollouts that it took. */
export interface Answer {
  readonly item: Item;
  readonly response: Response;
  readonly rollouts: readonly Rollout[];
}

export interface JudgedAnswer extends Answer {
  readonly verdict: Verdict;
}
