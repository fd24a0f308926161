import { expect, test } from "vitest";
import type { RolloutGroup, ScoredGroup } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { chatty, FakeSampler, itemOf, noModels, rolloutOf } from "../rollout/testing/fakes.ts";
import { judge, type RewardPart, verifier, weighted } from "./index.ts";

const item = itemOf("ab");
const critique = rolloutOf({ ...item, canonical: "critique of ab" }, "well");
/** In the order of revisions(): an attempt, what is said of it, and what it becomes. */
const group: RolloutGroup = {
  item,
  rollouts: [rolloutOf(item, "x"), critique, { ...rolloutOf(item, "ba"), turn: 1 }],
};
const rewarded = async (part: RewardPart): Promise<ScoredGroup["rollouts"]> => {
  const sampler = new FakeSampler((prompt, sample) => `Score: ${prompt.includes("ba\n") ? 4 : 1 + sample}`);
  const [scored] = await part.reward([group], {
    verify: async ({ answer }, { text }) => ({ outcome: "scored", score: text === answer ? 1 : 0 }),
    task: reverse(),
    models: { ...noModels, policyOf: (role) => ({ role, sampler, tokenizer: chatty }) },
    seed: 1,
  });
  return scored?.rollouts ?? [];
};
/** Makes an item of each attempt, and has trained copies for it. */
const making: RewardPart = {
  ...verifier(),
  trainedPerRollout: 12,
  reward: async (groups, context) =>
    (await verifier().reward(groups, context)).map((scored) => ({
      ...scored,
      rollouts: scored.rollouts.map((one) => ({ ...one, made: itemOf(one.rollout.response.text) })),
    })),
};

test("adds up rewards of the same rollout, wherever a reward puts it", async () => {
  const sum = weighted({
    right: { reward: verifier() },
    liked: { reward: judge({ judgements: 1, most: 4 }), weight: 0.5 },
  });
  const scored = await rewarded(sum);
  expect(scored.map(({ rollout, reward }) => [rollout.response.text, reward])).toEqual([
    ["x", 0.125],
    ["well", null],
    ["ba", 1.5],
  ]);
});

test("what a reward made of a rollout, and rollouts that it added, go on", async () => {
  const made = await rewarded(weighted({ right: { reward: making } }));
  expect(made.map((one) => one.made?.prompt)).toEqual(["x", "well", "ba"]);
  const learning = judge({ judgements: 2, learn: true });
  const own = (await rewarded(learning)).filter(({ rollout }) => !group.rollouts.includes(rollout));
  expect(own.length).toBeGreaterThan(0);
  const summed = await rewarded(weighted({ right: { reward: verifier() }, liked: { reward: learning } }));
  expect(summed.slice(0, 3).map(({ rollout }) => rollout)).toEqual(group.rollouts);
  expect(summed.slice(3)).toEqual(own);
});

test("trains copies where its rewards do, as often as all of them together", () => {
  const reward = weighted({ one: { reward: making }, other: { reward: making, weight: 0.5 } });
  expect(reward.trainedPerRollout).toBe(24);
  expect(weighted({ right: { reward: verifier() } })).not.toHaveProperty("trainedPerRollout");
});
