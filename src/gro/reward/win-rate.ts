import { z } from "zod";
import { readOptions, valueWith } from "../../foundation/base/index.ts";
import type { Rollout, RolloutGroup, ScoredGroup } from "../../foundation/contract/index.ts";
import { attempt, type ReferenceWeights, referenceWeights } from "../rollout/index.ts";
import { answers, answersAsked, type RewardContext, type RewardPart } from "./part.ts";
import { verifier } from "./verifier.ts";

const optionsSchema = z.strictObject({
  /** Whom a response has to beat: the others of its group, or answers of the champion or other earlier weights. */
  against: z.enum(["group", ...referenceWeights.options]).default("group"),
  /** What says how good each response is. */
  by: valueWith<RewardPart>("reward", "expected a reward, such as verifier()").optional(),
  /** Answers of the opponent to each item, where that is earlier weights. */
  samples: z.number().int().min(1).default(4),
  temperature: z.number().positive().default(1),
});
export type WinRateOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * The share of an opponent's responses to the item that a response beats by another reward, a tie counting ½: the chance P(y beats π)
 * that SPPO learns from (arXiv 2405.00675, equation 4.4), or a win rate against the champion.
 *
 * @example
 * gro({ generate: samples({ samples: 4 }), reward: winRate({ against: "champion", by: judge() }), update: preference() });
 */
export function winRate(options: WinRateOptions = {}): RewardPart {
  const read = readOptions("winRate()", optionsSchema, options);
  const { against, by = verifier(), samples, temperature } = read;
  /** Who is judged at an item: its rollouts, and the opponent's answers. */
  const playing = (rolloutsPerItem: number): number => rolloutsPerItem + samples;
  return {
    ...by,
    name: "win rate",
    description: {
      against,
      by: by.name,
      ...Object.fromEntries(Object.entries(by.description).map(([key, value]) => [`by.${key}`, value])),
      ...(against === "group" ? {} : { samples, temperature }),
    },
    ...(against === "group"
      ? {}
      : {
          answersPerRollout: (rolloutsPerItem: number) =>
            (samples + playing(rolloutsPerItem) * answersAsked(by, playing(rolloutsPerItem))) /
            rolloutsPerItem,
        }),
    references: [...(by.references ?? []), ...(against === "group" ? [] : [against])],
    reward: async (groups, context) => {
      const opponents =
        against === "group"
          ? groups.map(() => [])
          : await answersOf(groups, context, { against, samples, temperature });
      const joined = groups.map(({ item, rollouts }, place) => ({
        item,
        rollouts: [...rollouts, ...(opponents[place] ?? [])],
      }));
      const scored = await by.reward(joined, context);
      return scored.map((group, place) => ratesIn(group, new Set(opponents[place] ?? [])));
    },
  };
}

async function answersOf(
  groups: readonly RolloutGroup[],
  { models, task, seed, signal }: RewardContext,
  {
    against,
    samples,
    temperature,
  }: { readonly against: ReferenceWeights; readonly samples: number; readonly temperature: number },
): Promise<(readonly Rollout[])[]> {
  const role = groups.flatMap(({ rollouts }) => rollouts)[0]?.role;
  if (role === undefined) return groups.map(() => []);
  const opponent = await models.reference(role, against);
  const answered = await attempt({
    policy: { ...opponent, role: "opponent" },
    items: groups.map(({ item }) => item),
    samples,
    temperature,
    maxTokens: (item) => task.maxTokens(item),
    seed,
    ...(signal ? { signal } : {}),
  });
  return answered.map(({ rollouts }) => rollouts);
}

/** Only what answers the group's item plays: verdicts that a judge added keep the rewards that they have. */
function ratesIn({ item, rollouts }: ScoredGroup, opponents: ReadonlySet<Rollout>): ScoredGroup {
  const playing = rollouts.filter(({ rollout }) => answers(rollout, { item }));
  const rivals = opponents.size === 0 ? playing : playing.filter(({ rollout }) => opponents.has(rollout));
  return {
    item,
    rollouts: rollouts.flatMap((scored) => {
      const { rollout, reward, parts } = scored;
      if (opponents.has(rollout)) return [];
      if (!answers(rollout, { item })) return [scored];
      const others = rivals.filter((other) => other !== scored && other.reward !== null);
      if (reward === null || others.length === 0) return [{ rollout, reward: null, parts }];
      const won = others.reduce((sum, other) => sum + (Math.sign(reward - (other.reward ?? 0)) + 1) / 2, 0);
      return [{ rollout, reward: won / others.length, parts: { ...parts, score: reward } }];
    }),
  };
}
