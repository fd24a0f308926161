import type { RandomStream } from "../../foundation/base/index.ts";
import type {
  EngineNeeds,
  Example,
  LearnsBy,
  Policy,
  ScoredGroup,
  Task,
  Tokenizer,
} from "../../foundation/contract/index.ts";
import type { PassModels, ReferenceWeights, RolloutPlace } from "../rollout/index.ts";
import type { StepLoss } from "./loss.ts";

/** What older data an update may draw on beside the newest. */
export interface Replay {
  /** Examples that no model wrote. */
  readonly base: readonly Example[];
  /** What earlier rounds kept, oldest first; nothing where no update of the method {@link UpdatePart.readsOlder}. */
  readonly older: readonly OlderSet[];
}

/** What an earlier round kept. It lies in the ledger, and what is drawn of it is read: all that a run ever kept would be too much. */
export interface OlderSet {
  readonly length: number;
  /** The examples at these places, from 0. */
  read(places: Iterable<number>): Promise<ReadonlyMap<number, Example>>;
}

/** How many examples an update has: what the reward kept, and what no model wrote. */
export interface ExampleCounts {
  readonly newest: number;
  readonly base: number;
}

/** What there is to learn from, counted as {@link UpdatePart.steps} wants it. */
export function countExamples(groups: readonly ScoredGroup[], { base }: Replay): ExampleCounts {
  return { newest: keptExamples(groups, () => null).length, base: base.length };
}

/** What a role is to learn from. */
export interface Learning extends Pick<UpdateRequest, "groups" | "replay" | "random"> {
  readonly role: string;
}

/** What guards asked of the next rounds, as factors on what a method does by itself: 1 changes nothing. */
export interface Remedies {
  /** On every learning rate; at most 1. */
  readonly learningRate: number;
  /** On the weight of what no model wrote, in the mixture of every batch; at least 1. */
  readonly realData: number;
}

export const noRemedies: Remedies = { learningRate: 1, realData: 1 };

export interface UpdateRequest {
  readonly policy: Policy;
  readonly groups: readonly ScoredGroup[];
  readonly replay: Replay;
  readonly task: Task;
  /** Earlier weights, for what is measured against them; of a role's weights as they are, `policy` alone speaks here. */
  readonly models: Pick<PassModels, "reference">;
  /** Forked by role and optimiser step, so that any range of steps can be done again alike. */
  readonly random: RandomStream;
  /** Optimiser steps [from, to) of the `steps` that the part takes. */
  readonly from: number;
  readonly to: number;
  readonly remedies?: Remedies;
  readonly signal?: AbortSignal;
  /** Hears how many steps are done, and the loss of the newest; null where that is no number. */
  readonly onProgress?: (step: number, loss: number | null) => void;
}

/** Of the groups that could have taught something, how many did, and how many were skipped because nothing in them differs. */
export interface GroupCounts {
  readonly taught: number;
  readonly skipped: number;
}

export interface UpdateOutcome {
  /** Tokens whose prediction was trained. */
  readonly tokensTrained: number;
  /** Of these, tokens that no model wrote. */
  readonly realTokens: number;
  /** Tokens of the sequences that were passed through for it, prompts included. */
  readonly positionsTrained: number;
  /** Loss of each step that was made, per trained token. */
  readonly losses: readonly StepLoss[];
  /** Which examples were learnt from, and in how many batches each was. */
  readonly uses: Uses;
  /** What it found of the groups, where that is more than `compared` can know beforehand: a KL in the reward has to be measured. */
  readonly compared?: GroupCounts;
  /** Rollouts that it left out because the weights that wrote them lie too far back. */
  readonly stale?: number;
}

/** How often each example was in a batch, in the order in which they first were. */
export type Uses = ReadonlyMap<Example, number>;

export const waysToLearn = [
  "imitation",
  "preference",
  "policy-gradient",
] as const satisfies readonly LearnsBy[];

export type OptimizerStateChoice = "continued" | "fresh" | "own";

/** Turns scored rollouts into weights through the engine: the O of Generation–Reward–Optimization. */
export interface UpdatePart {
  readonly name: string;
  readonly description: Readonly<Record<string, string | number | boolean>>;
  /** All options as they are, where the description leaves out what is as usual: for people, no part of what a run is known by. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Keeps and imitates, or follows a policy gradient: what the verifier's integrity must be for it (design §8). */
  readonly learnsBy: LearnsBy;
  /** It takes what was written for the policy's own samples after the item: text from elsewhere would give a false gradient. */
  readonly onPolicy?: true;
  /** Of the engine, where it is more than cross_entropy. */
  readonly needs?: EngineNeeds;
  /** It draws on what earlier rounds kept. */
  readonly readsOlder?: true;
  /** Earlier weights that it reads, which the engine holds beside those that learn. */
  readonly references?: readonly ReferenceWeights[];
  /**
   * Refuses a task that it cannot learn, with a user error, before a run starts; asked once more when the model is there, with its
   * tokenizer.
   */
  check?(task: Task, tokenizer?: Tokenizer): void;
  /** Attempts at one item that it compares with each other, at the least; none if left out. */
  readonly attemptsPerItem?: number;
  /** Examples of one step, where that is fixed; else all rollouts of the role. */
  readonly batch?: number;
  /** Parts that the rollouts of the role are divided into, a step each; 1 if left out. */
  readonly minibatches?: number;
  /**
   * Optimiser steps of one application, given how many examples there are to learn from, and, once they are made, the rollouts that
   * the role's policy is to learn from.
   */
  steps(examples: ExampleCounts, learning?: Learning): number;
  /** Where it compares responses with each other: how many groups there are to learn from, and how many teach nothing. */
  compared?(learning: Learning): GroupCounts;
  /** What a group has that teaches, in words after "none of 16 groups"; two different responses with different rewards if left out. */
  readonly teaches?: string;
  /**
   * Whether the optimiser's moments go on from the weights' last training or start at zero; `own`: they go on from what rounds
   * of this run trained, and start at zero on the base, whose moments are of another objective.
   */
  readonly optimizerState: OptimizerStateChoice;
  update(request: UpdateRequest): Promise<UpdateOutcome>;
}

/** What was kept, of all roles or of one, once an item and text: peers that agree write the same example twice. */
export function keptExamples<T>(
  groups: readonly ScoredGroup[],
  make: (kept: ScoredGroup["rollouts"][number], place: RolloutPlace) => T,
  writer?: string,
): T[] {
  return groups.flatMap(({ rollouts }, group) => {
    const texts = new Set<string>();
    return rollouts.flatMap((scored, rollout) => {
      if (scored.reward === null || scored.reward < 1) return [];
      if (writer !== undefined && scored.rollout.role !== writer) return [];
      const { item, turn = 0, response } = scored.rollout;
      const key = `${item.canonical}\0${turn}\0${response.complete}${response.text}`;
      if (texts.has(key)) return [];
      texts.add(key);
      return [make(scored, { group, rollout, artifact: null })];
    });
  });
}
