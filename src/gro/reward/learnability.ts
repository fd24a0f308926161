import { z } from "zod";
import { readOptions, userError } from "../../foundation/base/index.ts";
import type { Item, ScoredGroup } from "../../foundation/contract/index.ts";
import { checkSearch, describeDocuments, readingDocuments, searchOptions } from "../rollout/index.ts";
import { type Proposal, proposalsIn } from "./learnability/proposals.ts";
import { solveRates } from "./learnability/solve-rates.ts";
import type { RewardPart } from "./part.ts";

const learnabilityForms = ["room", "middle", "rare", "variance"] as const;
type LearnabilityForm = (typeof learnabilityForms)[number];

const optionsSchema = z.strictObject({
  /** Who tries what is proposed. */
  solver: z.string().min(1).default("solver"),
  attempts: z.number().int().min(2).default(8),
  temperature: z.number().positive().default(1),
  /** Right is what the task's verifier says, or what most attempts say. */
  by: z.enum(["verifier", "majority"]).default("verifier"),
  /**
   * Of the solve rate p: `room` 1 − p, and 0 at p = 0; `middle` 1 − 2·|p − ½|; `rare` as room, but 1 where a single attempt of n solves it.
   * These are 0 where nothing can be learnt. `variance` is 1 where the variance p·(1 − p) is greatest and never quite 0.
   */
  form: z.enum(learnabilityForms).default("room"),
  /** Added for a proposal that can be asked. */
  valid: z.number().min(0).default(0),
  /** Of one that cannot. */
  invalid: z.number().max(0).default(0),
  /** What the solver may look into while it tries; nothing if left out. */
  search: z.strictObject(searchOptions).optional(),
});
type LearnabilityRead = z.output<typeof optionsSchema>;
export type LearnabilityOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * How much a solver could learn from a proposed problem, from how often it solves it:
 *
 *   room:     r = 1 − p, 0 where p is 0 or 1 (Absolute Zero, arXiv 2505.03335, equation 4)
 *   middle:   r = 1 − 2·|p − ½| (R-Zero, arXiv 2508.05004, section 3.2)
 *   rare:     r = (n − k)/(n − 1) with k of n attempts right, 0 where k is 0 or n (Dr. Zero, arXiv 2601.07055)
 *   variance: r = exp(−(p·(1 − p) − ¼)² / (2 · .01)) (SPICE, arXiv 2510.24684)
 *
 * A proposal that is no problem, that stands in the examples or among the proposals before it, or that belongs to another split than
 * training, is rewarded `invalid` (`parts` say why: `valid`, `novel`, `train`); one of which no attempt could be judged has no reward. What
 * can be asked becomes an item of its own, `made`, with the solve rate in `parts.solved`; its answer is the task's, or with
 * `by: "majority"` the vote. There p is the share of the attempts that give the likeliest answer; where two are as likely it has none.
 *
 * @example
 * gro({ generate: propose(), reward: learnability({ attempts: 8, form: "middle" }), update: policyGradient() })
 */
export function learnability(options: LearnabilityOptions = {}): RewardPart {
  const read = readOptions("learnability()", optionsSchema, options);
  const { search } = read;
  return {
    name: "learnability",
    description: describe(read),
    settings: read,
    origin: read.by === "verifier" ? "external" : "self-derived",
    peers: 1,
    answersPerRollout: read.attempts * ((search?.searches ?? 0) + 1),
    ...(search === undefined ? {} : readingDocuments(search.documents)),
    check: (task) => {
      if (search !== undefined) checkSearch("learnability()", task, search.documents);
      if (task.readProblem === undefined)
        throw userError(
          "no-proposals",
          `learnability(): the task ${task.name} cannot read a problem that a model wrote: it has no readProblem. Give a task that has one, such as programs() with a chat model.`,
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
            if (made === undefined) return { rollout, reward: read.invalid, parts };
            const tried = rates.get(made.canonical);
            if (tried === undefined || tried.solved === null) return { rollout, reward: null, parts };
            const { solved, vote, attempts: tries } = tried;
            return {
              rollout,
              reward: read.valid + learnable(solved, read.form, tries),
              parts: { ...parts, solved },
              made: read.by === "majority" ? labelled(made, vote) : made,
            };
          }),
        }),
      );
    },
  };
}

/** With the vote as its answer, and without any where there is none: what the task knows is not told. */
function labelled({ answer: _, ...item }: Item, vote: string | undefined): Item {
  return vote === undefined ? item : { ...item, answer: vote };
}

/** How much can be learnt at that solve rate, of so many attempts. */
export function learnable(solved: number, form: LearnabilityForm, attempts: number): number {
  if (form === "variance") return Math.exp(-((solved * (1 - solved) - 0.25) ** 2) / (2 * 0.01));
  if (solved <= 0 || solved >= 1) return 0;
  if (form === "middle") return 1 - 2 * Math.abs(solved - 0.5);
  return form === "room" ? 1 - solved : ((1 - solved) * attempts) / (attempts - 1);
}

/** What is as usual goes without saying, as in runs that were stored before it could be set. */
function describe({ valid, invalid, search, ...read }: LearnabilityRead): RewardPart["description"] {
  return {
    ...read,
    ...(valid === 0 ? {} : { valid }),
    ...(invalid === 0 ? {} : { invalid }),
    ...(search === undefined
      ? {}
      : { searches: search.searches, found: search.found, ...describeDocuments(search.documents) }),
  };
}
