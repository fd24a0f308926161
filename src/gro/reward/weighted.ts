import { z } from "zod";
import { readOptions, userError } from "../../foundation/base/index.ts";
import type { EngineNeeds, ScoredGroup, ScoredRollout } from "../../foundation/contract/index.ts";
import { answersAsked, type RewardPart } from "./part.ts";

const memberSchema = z.strictObject({
  reward: z.custom<RewardPart>(
    (value) =>
      typeof value === "object" && value !== null && typeof Reflect.get(value, "reward") === "function",
    "expected a part that can reward, such as verifier()",
  ),
  weight: z.number().default(1),
});
const membersSchema = z.record(z.string().min(1), memberSchema);
export type WeightedRewards = Readonly<Record<string, Readonly<z.input<typeof memberSchema>>>>;

/**
 * A sum of rewards, each times its weight: r = Σ_k w_k·r_k. Each r_k is kept under its name in the parts of the score, beside those that
 * it has itself. A weight below 0 makes a cost of a reward, and one of 0 keeps it among the parts alone. Where one cannot be computed there is no sum. What a reward makes of a rollout goes on with it, and what it adds, such as
 * a judge's verdicts, stands after the others with the reward that it has. It is external where any of its rewards is: something outside
 * the model is heard.
 *
 * @example
 * grpo({
 *   reward: weighted({ right: { reward: verifier() }, overlong: { reward: overlongPenalty(), weight: 0.5 } }),
 * });
 */
export function weighted(rewards: WeightedRewards): RewardPart {
  const members = Object.entries(readOptions("weighted()", membersSchema, rewards));
  if (members.length === 0)
    throw userError(
      "invalid-option",
      "weighted(): give at least one reward, such as right: { reward: verifier() }.",
    );
  const parts = members.map(([, { reward }]) => reward);
  const asking = parts.filter(({ answersPerRollout }) => answersPerRollout !== undefined);
  const trained = parts.reduce((sum, { trainedPerRollout = 0 }) => sum + trainedPerRollout, 0);
  const references = [...new Set(parts.flatMap((part) => part.references ?? []))];
  return {
    name: "weighted sum",
    description: Object.fromEntries(
      members.flatMap(([name, { reward, weight }]) => [
        [name, `${weight} × ${reward.name}`],
        ...Object.entries(reward.description).map(([option, value]) => [`${name}.${option}`, value] as const),
      ]),
    ),
    origin: parts.some(({ origin }) => origin === "external") ? "external" : "self-derived",
    ...(parts.some(({ asksVerifier }) => asksVerifier) ? { asksVerifier: true as const } : {}),
    peers: Math.max(...parts.map(({ peers }) => peers)),
    ...(asking.length === 0
      ? {}
      : {
          answersPerRollout: (rolloutsPerItem: number) =>
            asking.reduce((sum, part) => sum + answersAsked(part, rolloutsPerItem), 0),
        }),
    ...(trained > 0 ? { trainedPerRollout: trained } : {}),
    ...(references.length > 0 ? { references } : {}),
    documents: (task, items) => parts.flatMap((part) => part.documents?.(task, items) ?? []),
    needs: needsOf(parts),
    check: (task, tokenizer) => {
      for (const part of parts) part.check?.(task, tokenizer);
    },
    reward: async (groups, context) => {
      const scored = await Promise.all(parts.map((part) => part.reward(groups, context)));
      return groups.map(({ item, rollouts }, group): ScoredGroup => {
        const given = new Set(rollouts);
        // Told by the rollout and not by its place: some rewards give what answers the item first.
        const byRollout = scored.map((one) => {
          const own = one[group]?.rollouts ?? [];
          return new Map(own.map((each) => [each.rollout, each]));
        });
        const summed = rollouts.map((rollout): ScoredRollout => {
          const own = byRollout.map((rewarded) => rewarded.get(rollout));
          const kept: Record<string, number> = Object.assign({}, ...own.map((one) => one?.parts ?? {}));
          let sum: number | null = 0;
          for (const [at, [name, { weight }]] of members.entries()) {
            const reward = own[at]?.reward ?? null;
            if (reward !== null) kept[name] = reward;
            sum = sum === null || reward === null ? null : sum + weight * reward;
          }
          const made = own.find((one) => one?.made !== undefined)?.made;
          return { rollout, reward: sum, parts: kept, ...(made === undefined ? {} : { made }) };
        });
        const added = byRollout.flatMap((own) =>
          [...own.values()].filter(({ rollout }) => !given.has(rollout)),
        );
        return { item, rollouts: [...summed, ...added] };
      });
    },
  };
}

function needsOf(parts: readonly RewardPart[]): EngineNeeds {
  const extensions = [...new Set(parts.flatMap(({ needs }) => needs?.extensions ?? []))];
  const topLogprobs = Math.max(0, ...parts.map(({ needs }) => needs?.topLogprobs ?? 0));
  return {
    ...Object.assign({}, ...parts.map(({ needs }) => needs ?? {})),
    ...(extensions.length > 0 ? { extensions } : {}),
    ...(topLogprobs > 0 ? { topLogprobs } : {}),
  };
}
