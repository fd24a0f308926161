import { z } from "zod";
import { readOptions, userError } from "../foundation/base/index.ts";
import type { Item, LearnsBy, ScoredGroup, Task } from "../foundation/contract/index.ts";
import type { GeneratePart } from "./generate/index.ts";
import { checkFollowed } from "./method/check-followed.ts";
import { generatePart, rewardPart, updatePart } from "./method/part-schemas.ts";
import type { RewardPart } from "./reward/index.ts";
import type { UpdatePart } from "./update/index.ts";

/**
 * What a pass trains: the weights with which the run began its rounds, or those that the round finds. Whichever it is, a pass that
 * is made once has its answers written by the weights that the round finds (STaR, arXiv 2203.14465, algorithm 1); one that repeats
 * writes with the weights that it trains.
 */
export type PassStart = "base" | "current";

/** Rollouts that outlive a round: they go with the weights that learnt from them, and are given up with these. */
export interface Buffer {
  readonly name: string;
  /** Groups that it holds at most; the oldest go first. */
  readonly most: number;
  /** Hold what was rewarded 1 alone. */
  readonly kept?: true;
}

/** One Generation–Reward–Optimization: `generate` for every role that writes, `reward` over all, `update` each role's policy. */
export interface Pass {
  /** Policies that are each trained on what the reward makes of all of them together. */
  readonly roles: readonly string[];
  /** Of these, who attempts the items; all when not given. */
  readonly writers?: readonly string[];
  /** Roles that its parts ask, and that neither write nor learn in it. */
  readonly asks?: readonly string[];
  /** Items of each repetition, the next of the selection's in an order of chance; all of them when not given. */
  readonly items?: number;
  /**
   * Times that further items are tried in a repetition, in the place of groups whose rewards teach nothing, until there are as many that
   * teach as `items`; such groups are learnt from as they are, if left out.
   */
  readonly refill?: number;
  /**
   * The next repetition is written while this one is learnt from, by weights that lie one repetition back, where there is a next one
   * before a checkpoint. What is learnt from is compared with what wrote it; the sampler's probe is made where nothing is learnt beside.
   */
  readonly overlap?: true;
  /** Which items there are, where it is not the selection: those that the pass before this one made, or that are demonstrated. */
  readonly itemsFrom?: (
    earlier: readonly ScoredGroup[],
    task: Task,
    demonstrated: readonly Item[],
  ) => readonly Item[];
  /** What it means that `itemsFrom` gives none, in words for people: "what was proposed is no problem". */
  readonly noItems?: string;
  /** It learns from what is demonstrated: a run whose sources bring no demonstrations is refused. */
  readonly needsDemonstrations?: true;
  readonly generate: GeneratePart;
  readonly reward: RewardPart;
  readonly update: UpdatePart;
  /** How these roles learn, where it is not by `update`. */
  readonly updates?: Readonly<Record<string, UpdatePart>>;
  /** Where it is learnt from what earlier rounds rolled out too; a pass that repeats, or refills, has none. */
  readonly buffer?: Buffer;
  /** Times in a round that generate, reward and update follow each other. */
  readonly repeat: number;
  readonly start: PassStart;
}

/**
 * How a round turns a selection into candidate weights. A method from a paper is a short file that composes parts; no
 * part knows a method's name.
 */
export interface Method {
  readonly name: string;
  /** What defines it, for the protocol hash and the report. */
  readonly description: Readonly<Record<string, unknown>>;
  /** Every role, each bound to its own policy. */
  readonly roles: readonly string[];
  readonly passes: readonly Pass[];
  /** Times in a round that all passes follow each other; once if left out. */
  readonly repeat?: number;
  /** All roles begin with the same weights; without this each is a model that is prepared apart. */
  readonly alike?: true;
  /** The role that answers: the gate measures it. */
  readonly lead: string;
  /** Roles whose policies are promoted, rejected and rolled back together; what the others learn ends with the round. */
  readonly deliver: readonly string[];
  readonly learnsBy: LearnsBy;
  /** Where rounds, counted from 1, are played by different methods of the same roles; passes are then those of the last. */
  readonly inRound?: (round: number) => Method;
}

const count = z.number().int().min(1);

const optionsSchema = z.strictObject({
  name: z.string().min(1).default("gro"),
  generate: generatePart,
  reward: rewardPart,
  update: updatePart,
  /** Items of each repetition; all of the selection if left out. */
  items: count.optional(),
  /** Times that further items are tried where the rewards of a group teach nothing; needs `items`. */
  refill: count.optional(),
  repeat: count.default(1),
  /** Write the next repetition while this one is learnt from: its weights lie one repetition back. Policy gradients alone. */
  overlap: z.boolean().default(false),
  start: z.enum(["base", "current"]).default("current"),
});
export type GroOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * The method of one pass, which most methods are. A reward that needs peers gets them: `solver`, which leads, and `peer`,
 * `peer-2` and so on, each a policy of its own trained apart. Throws a user error `invalid-option`.
 *
 * @example
 * gro({ generate: samples({ samples: 8 }), reward: verifier(), update: policyGradient(), items: 32, repeat: 10 })
 */
export function gro(options: GroOptions): Method {
  const read = readOptions("gro()", optionsSchema, options);
  const { name, generate, reward, update, items, refill, repeat, overlap, start } = read;
  if (refill !== undefined && (items === undefined || update.compared === undefined))
    throw userError(
      "invalid-option",
      `${name}(): "refill" tries further items where a group teaches nothing: it needs "items", and an update that compares attempts, such as policyGradient().`,
    );
  if (reward.trainedPerRollout !== undefined && (repeat > 1 || refill !== undefined))
    throw userError(
      "invalid-option",
      `${name}(): ${reward.name} trains copies of saved weights, and a pass that repeats saves none between: leave out "repeat" and "refill".`,
    );
  if (overlap && (update.learnsBy !== "policy-gradient" || refill !== undefined || repeat === 1))
    throw userError(
      "invalid-option",
      `${name}(): "overlap" writes the next batch while one is learnt from: it needs a policy gradient, which weighs what older weights wrote, several repetitions, and no "refill".`,
    );
  const { attemptsPerItem = 0 } = update;
  if (generate.samplesPerItem < attemptsPerItem)
    throw userError(
      "invalid-option",
      `${name}(): ${update.name} compares attempts at an item with each other and needs at least ${attemptsPerItem} attempts an item; use generate: samples({ samples: 8 }).`,
    );
  const roles = [
    "solver",
    ...Array.from({ length: reward.peers - 1 }, (_, index) => (index === 0 ? "peer" : `peer-${index + 1}`)),
  ];
  const pass: Pass = {
    roles,
    ...(items === undefined ? {} : { items }),
    ...(refill === undefined ? {} : { refill }),
    generate,
    reward,
    update,
    repeat,
    ...(overlap ? { overlap } : {}),
    start,
  };
  checkFollowed({ name: `${name}()`, passes: [pass] });
  return {
    name,
    description: {
      generate: { part: generate.name, ...generate.description },
      reward: { part: reward.name, ...reward.description },
      update: { part: update.name, ...update.description },
      ...(items === undefined ? {} : { items }),
      ...(refill === undefined ? {} : { refill }),
      repeat,
      ...(overlap ? { overlap } : {}),
      start,
    },
    roles,
    passes: [pass],
    lead: "solver",
    deliver: roles,
    learnsBy: update.learnsBy,
  };
}
