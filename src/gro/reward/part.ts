import { z } from "zod";
import type { Json } from "../../foundation/base/index.ts";
import type {
  EngineNeeds,
  Item,
  Response,
  Rollout,
  RolloutGroup,
  ScoredGroup,
  Task,
  Tokenizer,
  Verdict,
} from "../../foundation/contract/index.ts";
import type { PassModels, ReferenceWeights } from "../rollout/index.ts";

export interface RewardContext {
  /** The task's verifier; void when it could not judge. */
  readonly verify: (item: Item, response: Response) => Promise<Verdict>;
  readonly task: Task;
  /** Whom a reward can ask: the roles of the pass, as they are while it writes, and earlier weights. */
  readonly models: PassModels;
  /**
   * Does a part of the work once over all attempts at the round, under a name of its own in the pass: for what is too dear to be done again.
   * The work asks the models that it is given, so that what they write is counted with its result. Left out, it is done whenever it is
   * asked for.
   */
  readonly keep?: <T extends Json>(name: string, work: (models: PassModels) => Promise<T>) => Promise<T>;
  /** For what a reward samples: its own numbers, not those of the rollouts. */
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** Turns rollouts into scored rollouts: the R of Generation–Reward–Optimization. */
export interface RewardPart {
  readonly name: string;
  readonly description: Readonly<Record<string, string | number | boolean>>;
  /** All options as they are, where the description leaves out what is as usual: for people, no part of what a run is known by. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Grounded in something outside the model, or derived from its own outputs: guards treat the two differently. */
  readonly origin: "external" | "self-derived";
  /** Its rewards are the verdicts of the task's own verifier, which cannot be tested by itself. */
  readonly asksVerifier?: true;
  /** Policies, trained apart, that must attempt every item; 1 for most rewards. */
  readonly peers: number;
  /**
   * Answers that it lets a model write for each rollout, or reads as long ones of, where it does: what `plan` counts. It may depend on how
   * many rollouts a group has.
   */
  readonly answersPerRollout?: number | ((rolloutsPerItem: number) => number);
  /** It trains copies of weights and throws them away, on so many examples for each rollout: only in a pass that is made once. */
  readonly trainedPerRollout?: number;
  /** Earlier weights that it reads. */
  readonly references?: readonly ReferenceWeights[];
  /**
   * Refuses a task that it cannot judge, with a user error, before a run starts; asked once more when the model is there, with its
   * tokenizer.
   */
  check?(task: Task, tokenizer?: Tokenizer): void;
  /** Of the engine, where it looks into the model. */
  readonly needs?: EngineNeeds;
  /** Texts that it judges by at these items: what the run is decided by must not stand in them. */
  readonly documents?: (task: Task, items: readonly Item[]) => readonly string[];
  /** One scored group per group, in order; a reward that cannot be computed is null, never 0. */
  reward(groups: readonly RolloutGroup[], context: RewardContext): Promise<ScoredGroup[]>;
}

/** Answers that a reward asks for with each rollout of so large a group. */
export function answersAsked(
  { answersPerRollout = 0 }: Pick<RewardPart, "answersPerRollout">,
  rolloutsPerItem: number,
): number {
  return typeof answersPerRollout === "number" ? answersPerRollout : answersPerRollout(rolloutsPerItem);
}

/** Name of a score's part that counts the tokens of the sequences that a copy was trained on to try the rollout. */
export const trialPositions = "trial positions trained";

/** Name of a score's part that counts the judge's verdicts on it that could not be read. */
export const unreadPart = "unread";

/** Whether a rollout answers its group's item: a critique or a verdict does not, and has no reward of the item's. */
export function answers({ item }: Rollout, group: Pick<RolloutGroup, "item">): boolean {
  return item.canonical === group.item.canonical;
}

/** The rollouts of a group that answer its item, in order: who votes there, and how many. */
export function answeringIn(group: RolloutGroup): readonly Rollout[] {
  return group.rollouts.filter((rollout) => answers(rollout, group));
}

/** Scores what answers the groups' items by `score`; the rest stands after it without a reward. */
export async function scoringAnswers(
  groups: readonly RolloutGroup[],
  score: (answering: readonly RolloutGroup[]) => Promise<readonly ScoredGroup[]>,
): Promise<ScoredGroup[]> {
  const scored = await score(groups.map((group) => ({ item: group.item, rollouts: answeringIn(group) })));
  return scored.map(({ item, rollouts }, place) => {
    const others = (groups[place]?.rollouts ?? []).filter((rollout) => !answers(rollout, { item }));
    return {
      item,
      rollouts: [...rollouts, ...others.map((rollout) => ({ rollout, reward: null, parts: {} }))],
    };
  });
}

/** As {@link scoreEach}, by a function that may take its time; all rollouts are scored at once. */
export async function scoreEachLater(
  groups: readonly RolloutGroup[],
  score: (rollout: Rollout) => Promise<number | null>,
): Promise<ScoredGroup[]> {
  const scores = await Promise.all(
    groups.map((group) =>
      Promise.all(group.rollouts.map((rollout) => (answers(rollout, group) ? score(rollout) : null))),
    ),
  );
  return groups.map(({ item, rollouts }, group) => ({
    item,
    rollouts: rollouts.map((rollout, index) => ({
      rollout,
      reward: scores[group]?.[index] ?? null,
      parts: {},
    })),
  }));
}

/** Scores every rollout that answers its group's item by one function of both; the others have no reward. */
export function scoreEach(
  groups: readonly RolloutGroup[],
  score: (rollout: Rollout, group: RolloutGroup) => number | null,
): ScoredGroup[] {
  return groups.map((group) => ({
    item: group.item,
    rollouts: group.rollouts.map((rollout) => ({
      rollout,
      reward: answers(rollout, group) ? score(rollout, group) : null,
      parts: {},
    })),
  }));
}

/** What a response votes for: the part that the task says is its answer, else all of it; undefined where it has none. */
export function voteOf(task: Pick<Task, "answerOf">, { item, response }: Rollout): string | undefined {
  if (!response.complete) return undefined;
  return task.answerOf === undefined ? response.text : task.answerOf(item, response);
}

/** How many responses vote for each answer, in the order in which they were first met. */
export function votesIn(
  rollouts: readonly Rollout[],
  task: Pick<Task, "answerOf">,
): ReadonlyMap<string, number> {
  const votes = new Map<string, number>();
  for (const rollout of rollouts) {
    const vote = voteOf(task, rollout);
    if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1);
  }
  return votes;
}

/** The answer that most complete responses give, and its share of all; undefined on a tie or when none is complete. */
export function modalAnswer(
  rollouts: readonly Rollout[],
  task: Pick<Task, "answerOf">,
): { text: string; share: number } | undefined {
  const votes = votesIn(rollouts, task);
  const [first, second] = [...votes].sort((a, b) => b[1] - a[1]);
  if (first === undefined || first[1] === second?.[1]) return undefined;
  return { text: first[0], share: first[1] / rollouts.length };
}

/** For options: a reward that another one is made of. */
export const rewardLike = z.custom<RewardPart>(
  (value) =>
    typeof value === "object" && value !== null && typeof Reflect.get(value, "reward") === "function",
  "expected a reward, such as verifier()",
);
