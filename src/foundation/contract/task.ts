import type { RandomStream } from "../base/random.ts";
import type { Item, Response, Split, Verdict } from "./items.ts";

/** A part of the target distribution. */
export interface Stratum {
  readonly name: string;
  readonly difficulty: number;
  /**
   * Number of distinct items; `Infinity` where it cannot be counted. A generator's stratum with at most 1,000 is enumerated: it
   * has no splits and is measured whole.
   */
  readonly distinct: number;
  /** Exactly how many items each split holds, where the items are listed in a file: these are split, however few. */
  readonly splits?: Readonly<Record<Split, number>>;
  /** Share in the target distribution; weights need not sum to one. */
  readonly weight: number;
}

/** How far the task's difficulty reaches. */
export interface DifficultyScale {
  /** What the number counts: `length`, `digits`, `bits`. */
  readonly unit: string;
  /** Demonstrations exist here. */
  readonly base: readonly [low: number, high: number];
  /** The greatest difficulty that a run trains itself towards. */
  readonly growTo: number;
  /** The greatest difficulty that is measured. */
  readonly measureTo: number;
  /** False where difficulties only number kinds, which have names and no order: there is no frontier then. */
  readonly ordered?: boolean;
}

/** An answer whose truth is known, to test a verifier before it is trusted. */
export interface Canary {
  readonly item: Item;
  readonly response: Response;
  readonly right: boolean;
}

/** What is said to a policy: a prompt, or a conversation. */
export type Prompting = Pick<Item, "prompt" | "messages">;

/**
 * How a task puts to a model what is no item of its own, where it has words for it: a chat model is asked in plain language where
 * a task says nothing. What is asked so is answered by the same weights, in the role that is named.
 */
export interface TaskPrompts {
  /** The item with its answer shown, for a rationale to be written towards it (STaR). */
  hint?(item: Item): Prompting;
  /** Whether a response is right: answered by {@link verdictWords}. */
  judge?(item: Item, response: Response): Prompting;
  /** What is wrong with a response. */
  critique?(item: Item, response: Response): Prompting;
  /** A better response, given an earlier one and, where there is one, a critique of it. */
  revise?(item: Item, response: Response, critique?: string): Prompting;
  /** A response, given what others responded. */
  debate?(item: Item, others: readonly Response[]): Prompting;
  /** A new problem, given some that are known: its answer is what the task can {@link Task.readProblem}. */
  propose?(known: readonly Item[], difficulty: number): Prompting;
  /** How to go about an item, from a general guideline, without solving it. */
  plan?(item: Item, guideline: string): Prompting;
  /** The item, to be solved along a plan. */
  follow?(item: Item, plan: string): Prompting;
  /** A question that a document answers: it is what the task can {@link Task.readProblem}. */
  ask?(document: string, difficulty: number): Prompting;
  /** The item, with a document in view that answers it. */
  ground?(item: Item, document: string): Prompting;
  /** An answer, or a query for a search, given what was found before: what is a query the task can {@link Task.readQuery}. */
  search?(item: Item, found: readonly string[]): Prompting;
  /** Training data that would help with items like this one: what is written the task can {@link Task.readEdit}. */
  edit?(item: Item): Prompting;
  /** The first token of an answer to `judge`, for right and for wrong; `yes` and `no` if left out. */
  readonly verdictWords?: readonly [right: string, wrong: string];
}

/** Says whether a response solves an item. */
export interface Verifier {
  readonly name: string;
  readonly version: number;
  /** What defines it beside its name and version, for the protocol hash. */
  readonly description?: Readonly<Record<string, string | number | boolean>>;
  /** A void verdict is for faults of the verifier's own, such as a process that died: never for a wrong answer. */
  verify(item: Item, response: Response): Verdict | Promise<Verdict>;
  /**
   * It judges without a reference answer, and so may choose among answers when the model is used: the baseline that samples many
   * (docs/baselines.md) lets it. Left out, nobody has it then.
   */
  readonly atInference?: true;
  /**
   * Why responses to an item cannot be compared with its reference answer ("abc" is no number); undefined where they can. Asked
   * of every line of a file before anything starts.
   */
  faultOf?(item: Pick<Item, "prompt" | "answer">): string | undefined;
  /**
   * Responses to an item whose truth is known from its reference answer alone, to test the verifier with; `others` are reference
   * answers of other items.
   */
  canaries?(item: Item, others: readonly string[]): readonly Canary[];
  /** Told before first use where the run's folder is, for relative paths to begin there. Starts nothing. */
  open?(place: { readonly projectFolder: string }): void;
  /** Lets go of processes that it holds; it may be used again afterwards. */
  close?(): Promise<void>;
}

/** An example that a model wrote to be trained on: what is asked, and what is to be answered. */
export type EditedExample = Prompting & { readonly response: string };

/** What an item is before its split is known. */
export type Problem = Pick<Item, "prompt" | "difficulty" | "messages"> & {
  readonly answer?: string;
  /** Where it was read, if from a file: its name and line. */
  readonly source?: string;
};

/** What the model is to get better at. */
export interface Task {
  readonly name: string;
  /** Rises when items, canonical form or verifier change: it keys the splits. */
  readonly version: number;
  /** Options that change the items, for the protocol hash. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** Files that the items were read from, each with the SHA-256 of what it held; where they lie changes no hash. */
  readonly files?: readonly { readonly path: string; readonly sha256: string }[];
  readonly difficulty: DifficultyScale;
  /** In order of difficulty. */
  readonly strata: readonly Stratum[];
  /** Every character that prompts and responses use. */
  readonly characters: string;
  readonly verifier: Verifier;
  /**
   * Judges more strictly than the verifier, from which training takes its reward, and is trusted more: a slow checker beside a
   * quick one. Guards and meters alone ask it; left out, the verifier is the truth.
   */
  readonly truth?: Verifier;
  /** A problem of that difficulty, uniformly drawn. */
  generate(difficulty: number, random: RandomStream): Problem;
  /** Every problem of a stratum that is enumerated or listed. */
  enumerate(difficulty: number): Iterable<Problem>;
  /** The identity of a problem: equal for problems that are the same to a learner. */
  canonical(problem: Problem): string;
  /** One right response, as the task's own demonstrations write it; may draw among several. */
  demonstrate(item: Item, random: RandomStream): string;
  /** Most tokens that a sensible response to this item needs, its end included. */
  maxTokens(item: Item): number;
  /**
   * The part of a response that answers, in a form in which equal answers are equal texts: what is voted on. Undefined where the
   * response has none. Left out, a response is its own answer.
   */
  answerOf?(item: Item, response: Response): string | undefined;
  /** A problem in a model's words, where there is one: what proposers write. */
  readProblem?(text: string, difficulty: number): Problem | undefined | Promise<Problem | undefined>;
  /** A text that holds what an item is about, where the task has such: what questions can be asked about. */
  document?(item: Item): string;
  /** Training data in a model's words, where there are some: what a model wrote to be trained on itself. */
  readEdit?(text: string, difficulty: number): readonly EditedExample[] | undefined;
  /** What a response looks for, where it answers nothing but asks for a search; the line `SEARCH: …` where it is left out. */
  readQuery?(text: string): string | undefined;
  readonly prompts?: TaskPrompts;
  /** Known-right and known-wrong answers; run before every run. */
  canaries(): readonly Canary[];
}
