import type { Json, RandomStream } from "../../foundation/base/index.ts";
import type {
  Example,
  Item,
  Policy,
  Sampler,
  ScoredGroup,
  Task,
  Tokenizer,
} from "../../foundation/contract/index.ts";
import type { ExampleUses, PolicyCopy } from "../rollout/index.ts";
import type { Remedies, Replay, StepLoss } from "../update/index.ts";
import type { Tally } from "./tally.ts";

/** Weights as a checkpoint's name, and whether its optimiser state is wanted with them. */
export interface Weights {
  readonly checkpoint: string;
  readonly optimizerState: "continued" | "fresh";
}

/** Holds the policies of a run's roles, so that weights which are in the engine already are not loaded again. */
export interface PolicyStore {
  open(role: string, weights: Weights): Promise<Policy>;
  /** Saves the policy as it is under that name and remembers that it is held so; `unfinished` training goes on from there. */
  save(role: string, checkpoint: string, options?: { readonly unfinished?: boolean }): Promise<void>;
  /** Weights to read from beside those that learn; held until {@link PolicyStore.releaseReferences}. */
  reference(checkpoint: string): Promise<Sampler>;
  releaseReferences(): Promise<void>;
  /** Weights of that checkpoint to train and throw away, whatever the role itself holds. */
  copy(role: string, checkpoint: string): Promise<PolicyCopy>;
  /** Takes away a checkpoint that training went on from, once it was saved anew. */
  discard(checkpoint: string): Promise<void>;
}

/** A stretch of training of one role, with the examples that it learnt from. */
export interface Training {
  readonly role: string;
  /** The pass, and the optimiser steps [from, to) or repetitions of it. */
  readonly part: string;
  readonly steps: readonly [from: number, to: number];
  /** What it made, and what it was trained on from. */
  readonly checkpoint: string;
  readonly from: string;
  readonly reward: string;
  /** The artifact that holds the pass's rollouts, where they were stored. */
  readonly rollouts: string | null;
  /** Which weights each role had when the rollouts were made. */
  readonly writers: Readonly<Record<string, string>>;
  readonly learnt: readonly ExampleUses[];
}

/** What a round gives to its method. */
export interface MethodContext {
  readonly task: Task;
  readonly tokenizer: Tokenizer;
  /** The selection. */
  readonly items: readonly Item[];
  /** Items that someone answered: those of `base`. */
  readonly demonstrated?: readonly Item[];
  /** Examples that no model wrote. */
  readonly base: readonly Example[];
  /** What earlier rounds kept, oldest first; nothing where no update of the method draws on it. */
  readonly older: Replay["older"];
  /** Artifacts of the buffers that the weights come with, by name; none in the first round. */
  readonly buffers?: Readonly<Record<string, string>>;
  /** Checkpoint names by role. */
  readonly current: Readonly<Record<string, string>>;
  readonly baseWeights: Readonly<Record<string, string>>;
  /** Those of the champion that the round's candidate is to beat; the base's where none was promoted. */
  readonly championWeights: Readonly<Record<string, string>>;
  readonly policies: PolicyStore;
  readonly random: RandomStream;
  /** Name of a new checkpoint of this round. */
  readonly checkpointName: (role: string, label: string) => string;
  /** Runs `work` once over all attempts at this round; its result is stored. */
  readonly durable: <T extends Json>(name: string, work: () => Promise<T>) => Promise<T>;
  /** As {@link durable}, of a part of what goes on beside others: no cap of the budget is looked at, since when would be chance. */
  readonly durablePart: <T extends Json>(name: string, work: () => Promise<T>) => Promise<T>;
  /** Stores rollouts, and reads them again after an interruption. */
  readonly storeGroups: (groups: readonly ScoredGroup[]) => Promise<string>;
  readonly readGroups: (artifact: string) => Promise<readonly ScoredGroup[]>;
  /** Takes away what was stored and has served; nothing where it is gone. */
  readonly forgetGroups: (artifact: string) => Promise<void>;
  /** What guards asked of this round. */
  readonly remedies?: Remedies;
  /** Why a guard keeps these rollouts from being learnt from; null where none does. */
  readonly whyBlocked?: (tally: Tally) => string | null;
  /** Stores what a stretch of training learnt from, and says under which name; null where none is kept. */
  readonly storeTraining: (training: Training) => Promise<string | null>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (label: string, done: number, total: number, loss?: StepLoss) => void;
}
