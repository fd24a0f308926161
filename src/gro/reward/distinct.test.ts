import { describe, expect, test } from "vitest";
import { reverse } from "../../world/task/index.ts";
import { groupOf, noModels } from "../rollout/testing/fakes.ts";
import { distinct, everything, type RewardPart } from "./index.ts";

const context = {
  verify: async () => ({ outcome: "scored", score: 1 }) as const,
  task: reverse(),
  models: noModels,
  seed: 1,
};
const rewardsOf = async (part: RewardPart, texts: readonly string[]): Promise<(number | null)[]> => {
  const { item, rollouts } = groupOf(
    "ab",
    texts.map((text) => [text, null] as const),
  );
  const [scored] = await part.reward([{ item, rollouts: rollouts.map(({ rollout }) => rollout) }], context);
  return scored?.rollouts.map(({ reward }) => reward) ?? [];
};

describe("distinct", () => {
  test("of responses with the same equations the first alone is rewarded, whatever their words and order", async () => {
    const texts = ["2 + 3 = 5, 5*2 = 10", "So 5*2=10 as 2+3=5", "2+3=5", "no sum", "no sum", "none"];
    expect(await rewardsOf(distinct({ of: everything() }), texts)).toEqual([1, 0, 1, 1, 0, 1]);
    expect(await rewardsOf(distinct({ of: everything(), by: "text" }), texts)).toEqual([1, 1, 1, 1, 0, 1]);
  });

  test("and of no item more than it may", async () => {
    expect(
      await rewardsOf(distinct({ of: everything(), by: "text", perItem: 2 }), ["a", "b", "a", "c"]),
    ).toEqual([1, 1, 0, 0]);
  });

  test("what has no reward, or none that counts, is no repetition", async () => {
    const never = giving([null, 0, 1]);
    expect(await rewardsOf(distinct({ of: never }), ["a", "a", "a"])).toEqual([null, 0, 1]);
    expect(distinct({ of: never })).toMatchObject({ name: "distinct everything", origin: never.origin });
  });

  test("what is rewarded less than 1 takes no place from what is learnt", async () => {
    const of = giving([0.5, 1, 0.5, 1, 0.5, 0.5]);
    const texts = ["a", "a", "b", "c", "d", "d"];
    expect(await rewardsOf(distinct({ of, by: "text", perItem: 2 }), texts)).toEqual([
      0.5, 1, 0.5, 1, 0.5, 0,
    ]);
  });
});

/** These rewards, in the order of the rollouts. */
function giving(rewards: readonly (number | null)[]): RewardPart {
  return {
    ...everything(),
    reward: async (groups) =>
      groups.map(({ item, rollouts }) => ({
        item,
        rollouts: rollouts.map((rollout, index) => ({ rollout, reward: rewards[index] ?? null, parts: {} })),
      })),
  };
}
