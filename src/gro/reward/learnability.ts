import { z } from "zod";
import { readOptions, userError } from "../../foundation/base/index.ts";
import type { Item, Problem, RolloutGroup, ScoredGroup, Task } from "../../foundation/contract/index.ts";
import { itemOf } from "../../world/task/index.ts";
import { attempt } from "../rollout/index.ts";
import { modalAnswer, type RewardContext, type RewardPart } from "./part.ts";

const optionsSchema = z.strictObject({
  /** Who tries what is proposed. */
  solver: z.string().min(1).default("solver"),
  attempts: z.number().int().min(2).default(8),
  temperature: z.number().positive().default(1),
  /** Right is what the task's verifier says, or what most attempts say. */
  by: z.enum(["verifier", "majority"]).default("verifier"),
  /** Of the solve rate p: `room` 1 − p, and 0 at p = 0; `middle` 1 − 2·|p − ½|. Both are 0 where nothing can be learnt. */
  form: z.enum(["room", "middle"]).default("room"),
});
export type LearnabilityOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * How much a solver could learn from a proposed problem, from how often it solves it:
 *
 *   room:   r = 1 − p, 0 where p is 0 or 1 (Absolute Zero, arXiv 2505.03335, equation 4)
 *   middle: r = 1 − 2·|p − ½| (R-Zero, arXiv 2508.05004, section 3.2)
 *
 * A proposal that is no problem, that stands in the examples or among the proposals before it, or that belongs to another split than
 * training, is rewarded 0 (`parts` say which: `valid`, `novel`, `train`); one of which no attempt could be judged has no reward. What
 * can be asked becomes an item of its own, `made`, with the solve rate in `parts.solved`; its answer is the task's, or with
 * `by: "majority"` the vote.
 *
 * @example
 * gro({ generate: propose(), reward: learnability({ attempts: 8, form: "middle" }), update: policyGradient() })
 */
export function learnability(options: LearnabilityOptions = {}): RewardPart {
  const read = readOptions("learnability()", optionsSchema, options);
  return {
    name: "learnability",
    description: read,
    origin: read.by === "verifier" ? "external" : "self-derived",
    peers: 1,
    answersPerRollout: read.attempts,
    check: (task) => {
      if (task.readProblem === undefined)
        throw userError(
          "no-proposals",
          `learnability(): the task ${task.name} cannot read a problem that a model wrote: it has no readProblem. Give a task that has one, such as programs().`,
        );
    },
    reward: async (groups, context) => {
      const proposals = await proposalsIn(groups, context.task);
      const asked = proposals.flatMap(({ item }) => (item === undefined ? [] : [item]));
      const rates = await solveRates(asked, read, context);
      let next = 0;
      return groups.map(
        ({ item, rollouts }): ScoredGroup => ({
          item,
          rollouts: rollouts.map((rollout) => {
            const { item: made, parts } = proposals[next++] as Proposal;
            if (made === undefined) return { rollout, reward: 0, parts };
            const tried = rates.get(made.canonical);
            if (tried === undefined || tried.solved === null) return { rollout, reward: null, parts };
            const { solved, vote } = tried;
            return {
              rollout,
              reward: learnable(solved, read.form),
              parts: { ...parts, solved },
              made: read.by === "majority" && vote !== undefined ? { ...made, answer: vote } : made,
            };
          }),
        }),
      );
    },
  };
}

/** How much can be learnt at that solve rate. */
export function learnable(solved: number, form: "room" | "middle"): number {
  if (solved <= 0 || solved >= 1) return 0;
  return form === "room" ? 1 - solved : 1 - 2 * Math.abs(solved - 0.5);
}

export interface Proposal {
  /** Undefined where nothing can be asked. */
  readonly item?: Item;
  readonly parts: Readonly<Record<string, number>>;
}

/** What was proposed, in the order of the rollouts, over all groups; a proposal that was met before is none. */
export async function proposalsIn(groups: readonly RolloutGroup[], task: Task): Promise<Proposal[]> {
  const read = await Promise.all(
    groups.flatMap(({ item: { difficulty }, rollouts }) =>
      rollouts.map(async ({ response, role }) => {
        const problem = response.complete ? await task.readProblem?.(response.text, difficulty) : undefined;
        return problem && askable(task, problem, role);
      }),
    ),
  );
  const met = new Set(groups.map(({ item }) => item.canonical));
  return read.map((item): Proposal => {
    if (item === undefined) return { parts: { valid: 0 } };
    if (item.split !== "train" && item.split !== "none") return { parts: { valid: 1, train: 0 } };
    if (met.has(item.canonical)) return { parts: { valid: 1, train: 1, novel: 0 } };
    met.add(item.canonical);
    return { item, parts: { valid: 1, train: 1, novel: 1 } };
  });
}

/** Undefined for a problem that the task itself cannot place. */
function askable(task: Task, problem: Problem, role: string): Item | undefined {
  try {
    return itemOf(task, problem, `model:${role}`);
  } catch {
    return undefined;
  }
}

interface Tried {
  readonly solved: number | null;
  readonly vote?: string;
}

async function solveRates(
  items: readonly Item[],
  { solver, attempts, temperature, by }: z.output<typeof optionsSchema>,
  { models, task, seed, verify, signal }: RewardContext,
): Promise<ReadonlyMap<string, Tried>> {
  if (items.length === 0) return new Map();
  const groups = await attempt({
    policy: models.policyOf(solver),
    items,
    samples: attempts,
    temperature,
    maxTokens: (item) => task.maxTokens(item),
    seed,
    ...(signal ? { signal } : {}),
  });
  const tried = groups.map(async ({ item, rollouts }): Promise<[string, Tried]> => {
    if (by === "majority") {
      const mode = modalAnswer(rollouts, task);
      return [item.canonical, mode === undefined ? { solved: 0 } : { solved: mode.share, vote: mode.text }];
    }
    const verdicts = await Promise.all(rollouts.map(({ response }) => verify(item, response)));
    const scores = verdicts.flatMap((verdict) => (verdict.outcome === "scored" ? [verdict.score] : []));
    const sum = scores.reduce((total, score) => total + score, 0);
    return [item.canonical, { solved: scores.length === 0 ? null : sum / scores.length }];
  });
  return new Map(await Promise.all(tried));
}
