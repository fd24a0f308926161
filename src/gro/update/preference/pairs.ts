import { z } from "zod";
import type { RandomStream } from "../../../foundation/base/index.ts";
import type { Example, ScoredGroup, ScoredRollout } from "../../../foundation/contract/index.ts";
import { exampleOfRollout } from "../../rollout/index.ts";
import type { GroupCounts } from "../part.ts";

/** A response of a pair: what is trained on, and its reward. */
export interface Member {
  readonly example: Example;
  readonly reward: number;
}

/** A response that is to become likelier than another one to the same prompt, and how much that matters. */
export interface Pair {
  readonly chosen: Member;
  readonly rejected: Member;
  readonly weight: number;
}

export const pairOptions = {
  /**
   * `best-worst`: one pair a prompt, its best response against its worst; `all`: every better one against every worse one;
   * `demonstration`: what someone wrote against what the model wrote.
   */
  pairs: z.enum(["best-worst", "all", "demonstration"]).default("best-worst"),
  /** Pairs of one prompt at most, drawn at random where there are more. */
  mostPairs: z.number().int().min(1).default(10),
  /** Least reward of a chosen response; none if left out. */
  least: z.number().optional(),
  /**
   * For `best-worst`: among responses whose reward lies within this share of the prompt's range of rewards from the best the shortest
   * is chosen, from the worst the longest rejected (Meta-Rewarding, arXiv 2407.19594, section 2.2); 0 looks at no length.
   */
  lengthControl: z.number().min(0).max(0.5).default(0),
  /** Every pair counts the same, or as much as its rewards differ (ScPO: the difference of the shares of votes). */
  weight: z.enum(["one", "difference"]).default("one"),
} as const;
export type PairOptions = z.output<z.ZodObject<typeof pairOptions>>;

export interface MadePairs extends GroupCounts {
  readonly pairs: readonly Pair[];
}

/**
 * Pairs of what one role wrote. Only responses to the very same tokens are compared: of two turns, or of two judgements, each has its
 * own pairs. A prompt with fewer than two distinct responses, or whose rewards are all equal, gives none and is counted as skipped;
 * rollouts without a reward are not there at all.
 */
export function pairsOf(
  groups: readonly ScoredGroup[],
  role: string,
  demonstrations: readonly Example[],
  options: PairOptions,
  random: RandomStream,
): MadePairs {
  const byPrompt = promptsOf(groups, role, options.pairs === "demonstration");
  const shown = options.pairs === "demonstration" ? demonstrationsBy(demonstrations) : undefined;
  const pairs: Pair[] = [];
  let skipped = 0;
  for (const [prompt, members] of byPrompt) {
    const made =
      shown === undefined ? pairsWithin(members, options) : pairsAgainst(shown.get(prompt) ?? [], members);
    const wanted = made.filter(({ chosen }) => chosen.reward >= (options.least ?? Number.NEGATIVE_INFINITY));
    if (wanted.length === 0) skipped += 1;
    const drawn =
      wanted.length <= options.mostPairs
        ? wanted
        : random.fork(prompt).shuffle(wanted).slice(0, options.mostPairs);
    pairs.push(...drawn.map((pair) => ({ ...pair, weight: weightOf(pair, options) })));
  }
  return { pairs, taught: byPrompt.size - skipped, skipped };
}

type Unweighed = Omit<Pair, "weight">;

/** Distinct responses by what they answer; one that was written twice stands where it first was. */
function promptsOf(
  groups: readonly ScoredGroup[],
  role: string,
  unrewarded: boolean,
): ReadonlyMap<string, readonly Member[]> {
  const prompts = new Map<string, Map<string, Member>>();
  groups.forEach(({ rollouts }, group) => {
    rollouts.forEach((scored, rollout) => {
      // Set against a demonstration, a response needs no reward.
      if (scored.rollout.role !== role || (scored.reward === null && !unrewarded)) return;
      const example = exampleOfRollout(scored.rollout, { group, rollout, artifact: null });
      if (example.response.length === 0) return;
      const prompt = keyOf(example);
      const known = prompts.get(prompt) ?? new Map<string, Member>();
      prompts.set(prompt, known);
      const said = saidBy(scored);
      if (!known.has(said)) known.set(said, { example, reward: scored.reward ?? 0 });
    });
  });
  return new Map([...prompts].map(([prompt, members]) => [prompt, [...members.values()]]));
}

const keyOf = ({ context }: Example): string => context.join(",");

const saidBy = ({ rollout: { response } }: ScoredRollout): string => `${response.complete}${response.text}`;

function demonstrationsBy(examples: readonly Example[]): ReadonlyMap<string, readonly Member[]> {
  return Map.groupBy(
    examples.map((example) => ({ example, reward: 1 })),
    ({ example }) => keyOf(example),
  );
}

function pairsWithin(
  members: readonly Member[],
  { pairs, lengthControl }: PairOptions,
): readonly Unweighed[] {
  if (pairs === "all")
    return members.flatMap((chosen) =>
      members.flatMap((rejected) => (chosen.reward > rejected.reward ? [{ chosen, rejected }] : [])),
    );
  const rewards = members.map(({ reward }) => reward);
  const [best, worst] = [Math.max(...rewards), Math.min(...rewards)];
  if (!(best > worst)) return [];
  const slack = lengthControl * (best - worst);
  const length = ({ example }: Member): number => example.response.length;
  const high = members.filter(({ reward }) => reward >= best - slack);
  const low = members.filter(({ reward }) => reward <= worst + slack);
  const chosen = lengthControl === 0 ? high[0] : [...high].sort((a, b) => length(a) - length(b))[0];
  const rejected = lengthControl === 0 ? low[0] : [...low].sort((a, b) => length(b) - length(a))[0];
  // Two tiers that meet could name one response, or a worse one than it is set against.
  return chosen !== undefined && rejected !== undefined && chosen.reward > rejected.reward
    ? [{ chosen, rejected }]
    : [];
}

/** Every demonstration of the prompt against every other thing that was said to it. */
function pairsAgainst(shown: readonly Member[], members: readonly Member[]): readonly Unweighed[] {
  return shown.flatMap((chosen) =>
    members.flatMap((rejected) =>
      sameResponse(chosen.example, rejected.example) ? [] : [{ chosen, rejected }],
    ),
  );
}

function sameResponse({ response: one }: Example, { response: other }: Example): boolean {
  return one.length === other.length && one.every((token, index) => token === other[index]);
}

function weightOf({ chosen, rejected }: Unweighed, { weight }: PairOptions): number {
  return weight === "one" ? 1 : chosen.reward - rejected.reward;
}
