import { learnedReward, majority, type RewardPart, type ScoredGroup, verifier } from "whetstone";

/** Five ways to keep what looks right: four by the model that wrote it, and the truth. */
export const selfVerifiers = {
  oracle: () => verifier(),
  /** The model, asked whether the answer is right, says yes sooner than no. */
  judge: () => keeping("judge", learnedReward({ role: "solver" }), moreLikelyThanNot),
  /** Of an item's attempts, those that it most surely finds right. */
  tournament: () => keeping("tournament", learnedReward({ role: "solver" }), best),
  /** Asked what is wrong with it, it sooner says "nothing" than anything else. */
  critique: () => keeping("critique", critique(), moreLikelyThanNot),
  /** Most attempts say the same. */
  vote: () => majority(),
} satisfies Readonly<Record<string, () => RewardPart>>;
export type SelfVerifier = keyof typeof selfVerifiers;

type Rule = (shares: readonly number[]) => (share: number) => boolean;

const moreLikelyThanNot: Rule = () => (share) => share > 0.5;
const best: Rule = (shares) => {
  const most = Math.max(...shares);
  // The same answer twice has the same score, up to rounding.
  return (share) => share > most - 1e-6;
};

/** A score made a filter: 1 for what the rule keeps of an item's attempts, 0 for the rest, nothing where there is no score. */
function keeping(name: string, scoring: RewardPart, rule: Rule): RewardPart {
  return {
    ...scoring,
    name,
    reward: async (groups, context) =>
      (await scoring.reward(groups, context)).map(({ item, rollouts }): ScoredGroup => {
        const keeps = rule(rollouts.flatMap(({ reward }) => (reward === null ? [] : [reward])));
        return {
          item,
          rollouts: rollouts.map((scored) => ({
            ...scored,
            reward: scored.reward === null ? null : Number(keeps(scored.reward)),
          })),
        };
      }),
  };
}

/** What the task's critic writes where nothing is wrong. */
const noMistake = "0";

/** The chance that the model, asked where the mistake is, says that there is none. */
function critique(): RewardPart {
  return {
    name: "critique",
    description: {},
    origin: "self-derived",
    peers: 1,
    reward: async (groups, { task, models, signal }) => {
      const { sampler, tokenizer } = models.policyOf("solver");
      const asked = groups.flatMap(({ rollouts }) =>
        rollouts.map(({ item, response }) => {
          const prompt = `${task.prompts?.critique?.(item, response).prompt ?? ""}${noMistake}`;
          return Int32Array.from([tokenizer.beginToken ?? [], ...tokenizer.encode(prompt)].flat());
        }),
      );
      const logprobs = await sampler.logprobs(asked, signal === undefined ? {} : { signal });
      let next = 0;
      return groups.map(({ item, rollouts }) => ({
        item,
        rollouts: rollouts.map((rollout) => ({
          rollout,
          reward: Math.exp(logprobs[next++]?.at(-1) ?? Number.NEGATIVE_INFINITY),
          parts: {},
        })),
      }));
    },
  };
}
