import type { Item, Response, Verdict } from "./items.ts";
import type { TokenIds } from "./sampler.ts";

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
  /** What it is taught to answer, where it was shown more when it wrote: the context without the hint. */
  readonly learnAfter?: TokenIds;
  /** Which turn of a conversation with itself it is, from 0: a revision is 1. Left out for 0. */
  readonly turn?: number;
  /** Sources of the documents that its searches had found, oldest first; left out where there are none. */
  readonly found?: readonly string[];
  /** Where an earlier round stored it, from which it is learnt again. */
  readonly stored?: Pick<ExampleWriter, "group" | "rollout" | "artifact">;
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
  /** The item that it made, where it proposed one that can be asked. */
  readonly made?: Item;
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
  /** What was asked and what was answered, as people read it. */
  readonly prompt: string;
  readonly answer: string;
  /** Where the item came from: a generator, a file and line, a rollout. */
  readonly source: string;
  /** The rollout that the response was sampled in; null where no model wrote it. */
  readonly writer: ExampleWriter | null;
}

/** Which of a model's attempts an example is. */
export interface ExampleWriter {
  readonly role: string;
  readonly sample: number;
  /** Where the rollout stands among the groups that it was made with: group, and rollout within the group. */
  readonly group: number;
  readonly rollout: number;
  /** The artifact that holds these groups, where they are an earlier round's; null where they are those of the pass that learns. */
  readonly artifact: string | null;
}

/** An example as lineage keeps it: what it is, how often it was learnt from, and what it came from. */
export interface TrainedExample extends Pick<Example, "item" | "prompt" | "answer" | "source"> {
  /** Its identity: 32 hexadecimal digits of a hash of its token ids. */
  readonly id: string;
  /** How many times it was in a batch. */
  readonly times: number;
  /** Tokens that one time trains. */
  readonly tokens: number;
  readonly writer: (ExampleWriter & { readonly stepsAfter: number }) | null;
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
