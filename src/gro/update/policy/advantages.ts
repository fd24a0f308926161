import { userError } from "../../../foundation/base/index.ts";

/** How a reward becomes an advantage: what it is compared with. */
export const advantageEstimators = [
  "group",
  "leave-one-out",
  "batch",
  "batch-mean",
  "none",
  "learned",
] as const;
type AdvantageEstimator = (typeof advantageEstimators)[number];

/** Those that compare the attempts of a group with each other. */
export const groupEstimators: readonly AdvantageEstimator[] = ["group", "leave-one-out"];

export interface AdvantageOptions {
  /**
   * `group`: the mean of the item's attempts (GRPO, arXiv 2402.03300, section 4.1.2); `leave-one-out`: the mean of the item's other
   * attempts (RLOO, arXiv 2402.14740, equation 7); `batch`: mean and deviation over all tokens of the batch (REINFORCE++, arXiv
   * 2501.03262, section 3); `batch-mean`: the mean of the batch; `none`: nothing (REINFORCE); `learned`: the part `baseline` of each
   * rollout (PPO with a learned baseline), which a user error `no-baseline` asks for where there is none.
   */
  readonly advantages: AdvantageEstimator;
  /** Of `group`: whether centred rewards are divided by their deviation. */
  readonly divideByDeviation: boolean;
  /** Of `group`: the deviation of a sample (÷ n − 1), as TRL and verl have it, in place of that of the group itself (÷ n). */
  readonly sampleDeviation: boolean;
  /** Added to every deviation that is divided by. */
  readonly epsilon: number;
  /**
   * Each kind of item has a baseline of its own: `group` and `leave-one-out` take all attempts at items of a kind for one group (HRPO, arXiv
   * 2601.07055, its kinds being numbers of hops), the others the batch of each kind for the batch (TRR++, arXiv 2505.03335, equation 8).
   */
  readonly byKind?: boolean;
}

/** One rollout, as advantages are made from it. */
export interface Judged {
  readonly reward: number;
  /** What was expected of it, for `learned`. */
  readonly baseline?: number | undefined;
  /** Tokens of its response. */
  readonly tokens: number;
  /** What each token costs, taken off the return of the tokens up to it; the same for all estimators. */
  readonly costs?: Float64Array | undefined;
  /** Of the item, for `byKind`. */
  readonly kind?: string | undefined;
  /**
   * A turn that led to another one of these, whose reward it has: of its group's mean and deviation it is no member, or an attempt
   * would count as often as it has turns.
   */
  readonly earlier?: boolean;
}

/** The advantage of every token of a response, [tokens]. */
type Advantages = Float64Array;

/** Below this, differences are those of rounding. */
const least = 1e-6;

/**
 * Advantages of each group's rollouts; undefined for a group that teaches nothing: for `group` and `leave-one-out` one whose rewards
 * are all equal or that has a single rollout, for the others a batch without any difference to what it is compared with.
 */
export function advantagesOf(
  groups: readonly (readonly Judged[])[],
  options: AdvantageOptions,
): (readonly Advantages[] | undefined)[] {
  return options.byKind ? kindByKind(groups, options) : together(groups, options);
}

/** As if there were only groups of one kind, kind after kind; in the order in which the groups are. */
function kindByKind(
  groups: readonly (readonly Judged[])[],
  options: AdvantageOptions,
): (readonly Advantages[] | undefined)[] {
  const result: (readonly Advantages[] | undefined)[] = groups.map(() => undefined);
  const kinds = Map.groupBy(groups.keys(), (at) => groups[at]?.[0]?.kind ?? "");
  for (const places of kinds.values()) {
    const own = places.map((at) => groups[at] ?? []);
    const grouped = groupEstimators.includes(options.advantages);
    const found = grouped ? undefined : together(own, options);
    const merged = grouped ? together([own.flat()], options)[0] : undefined;
    let next = 0;
    for (const [index, at] of places.entries()) {
      const size = own[index]?.length ?? 0;
      const part = grouped ? merged?.slice(next, next + size) : found?.[index];
      next += size;
      if (size > 0) result[at] = part;
    }
  }
  return result;
}

function together(
  groups: readonly (readonly Judged[])[],
  options: AdvantageOptions,
): (readonly Advantages[] | undefined)[] {
  const { advantages } = options;
  if (groupEstimators.includes(advantages))
    return groups.map((group) => {
      const returns = group.map(({ reward, costs }) => reward - total(costs));
      const members = returns.filter((_, index) => !group[index]?.earlier);
      const values =
        advantages === "group"
          ? groupAdvantages(returns, options, members)
          : leaveOneOutAdvantages(returns, members);
      return (
        values && group.map(({ tokens }, index) => new Float64Array(tokens).fill(values[index] as number))
      );
    });
  const all = groups.map((group) => group.map(returnsOf));
  const flat = all.flat();
  const [mean, deviation] = momentsOf(advantages === "batch" ? flat : flat.map((one) => one.subarray(0, 1)));
  const shifted = all.map((group, at) =>
    group.map((returns, index) => {
      if (advantages === "batch") return returns.map((one) => (one - mean) / (deviation + options.epsilon));
      const baseline =
        advantages === "learned"
          ? (groups[at]?.[index]?.baseline ?? withoutBaseline())
          : advantages === "batch-mean"
            ? mean
            : 0;
      return returns.map((one) => one - baseline);
    }),
  );
  const nothing =
    (advantages === "batch" && deviation < least) ||
    shifted.every((group) => group.every((one) => one.every((value) => Math.abs(value) < least)));
  return shifted.map((group) => (nothing || group.length === 0 ? undefined : group));
}

/**
 * Rewards less the members' mean, divided by their deviation if asked; undefined when these are all equal. All are members if left out.
 * Source: arXiv 2402.03300, section 4.1.2; without division arXiv 2503.20783, section 3.2.
 */
export function groupAdvantages(
  rewards: readonly number[],
  {
    divideByDeviation,
    sampleDeviation = false,
    epsilon = 0,
  }: Partial<AdvantageOptions> & Pick<AdvantageOptions, "divideByDeviation">,
  members: readonly number[] = rewards,
): number[] | undefined {
  const count = members.length;
  const mean = members.reduce((sum, reward) => sum + reward, 0) / count;
  const squares = members.reduce((sum, reward) => sum + (reward - mean) ** 2, 0);
  if (!(squares / count >= least ** 2)) return undefined;
  const scale = divideByDeviation ? Math.sqrt(squares / (sampleDeviation ? count - 1 : count)) + epsilon : 1;
  return rewards.map((reward) => (reward - mean) / scale);
}

/** Each reward less the mean of the others; undefined when they are all equal. Source: arXiv 2402.14740, equation 7. */
function leaveOneOutAdvantages(rewards: readonly number[], members: readonly number[]): number[] | undefined {
  const centred = groupAdvantages(rewards, { divideByDeviation: false }, members);
  return centred?.map((one) => (one * members.length) / (members.length - 1));
}

function withoutBaseline(): never {
  throw userError(
    "no-baseline",
    'policyGradient(): advantages: "learned" takes off what a critic expected, and this reward says nothing of that (parts.baseline); use reward: withBaseline({ of: verifier() }), or other advantages.',
  );
}

/** What is still to come at each token: the reward, less what this token and those after it cost. */
function returnsOf({ reward, tokens, costs }: Judged): Float64Array {
  const returns = new Float64Array(tokens);
  let left = reward;
  for (let at = tokens - 1; at >= 0; at--) {
    left -= costs?.[at] ?? 0;
    returns[at] = left;
  }
  return returns;
}

function total(costs: Float64Array | undefined): number {
  return costs?.reduce((sum, cost) => sum + cost, 0) ?? 0;
}

/** Mean and deviation (÷ n) of all numbers together. */
function momentsOf(rows: readonly Float64Array[]): readonly [mean: number, deviation: number] {
  let [count, sum, squares] = [0, 0, 0];
  for (const row of rows) for (const value of row) [count, sum] = [count + 1, sum + value];
  const mean = sum / count;
  for (const row of rows) for (const value of row) squares += (value - mean) ** 2;
  return [mean, Math.sqrt(squares / count)];
}
