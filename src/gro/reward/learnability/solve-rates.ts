import type { Item, RolloutGroup } from "../../../foundation/contract/index.ts";
import { attempt, attemptWithSearch, type Document } from "../../rollout/index.ts";
import { answeringIn, modalAnswer, type RewardContext, votesIn } from "../part.ts";

interface Tried {
  readonly solved: number | null;
  /** How many of the attempts that says. */
  readonly attempts: number;
  /** None where two answers have as many votes: that half agree is known, and not with what. */
  readonly vote?: string;
}

/** Who tries, how often and how, and what is right. */
interface Trying {
  readonly solver: string;
  readonly attempts: number;
  readonly temperature: number;
  readonly by: "verifier" | "majority";
  readonly search?:
    | {
        readonly searches: number;
        readonly found: number;
        readonly documents?: readonly Document[] | undefined;
      }
    | undefined;
}

export async function solveRates(
  items: readonly Item[],
  { by, ...trying }: Trying,
  context: RewardContext,
): Promise<ReadonlyMap<string, Tried>> {
  if (items.length === 0) return new Map();
  const { task, verify } = context;
  const groups = await attemptsAt(items, trying, context);
  const tried = groups.map(async ({ item, rollouts }): Promise<[string, Tried]> => {
    if (by === "majority") {
      const attempts = rollouts.length;
      const most = Math.max(0, ...votesIn(rollouts, task).values());
      const vote = modalAnswer(rollouts, task)?.text;
      return [item.canonical, { solved: most / attempts, attempts, ...(vote === undefined ? {} : { vote }) }];
    }
    const verdicts = await Promise.all(rollouts.map(({ response }) => verify(item, response)));
    const scores = verdicts.flatMap((verdict) => (verdict.outcome === "scored" ? [verdict.score] : []));
    const sum = scores.reduce((total, score) => total + score, 0);
    const attempts = scores.length;
    return [item.canonical, { solved: attempts === 0 ? null : sum / attempts, attempts }];
  });
  return new Map(await Promise.all(tried));
}

/** The solver's answers to each item: plain attempts, or the last turns of those with a search. */
async function attemptsAt(
  items: readonly Item[],
  { solver, attempts: samples, temperature, search }: Omit<Trying, "by">,
  { models, task, seed, signal }: RewardContext,
): Promise<readonly RolloutGroup[]> {
  const request = {
    policy: models.policyOf(solver),
    items,
    samples,
    temperature,
    maxTokens: (item: Item) => task.maxTokens(item),
    seed,
    ...(signal ? { signal } : {}),
  };
  if (search === undefined) return attempt(request);
  const { documents } = search;
  const groups = await attemptWithSearch({ ...request, ...search, task, by: "learnability()", documents });
  return groups.map((group) => ({ item: group.item, rollouts: answeringIn(group) }));
}
