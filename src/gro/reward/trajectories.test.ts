import { expect, test } from "vitest";
import type { Rollout, RolloutGroup } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { itemOf, noModels, rolloutOf } from "../rollout/testing/fakes.ts";
import { type RewardContext, trajectories } from "./index.ts";

const item = itemOf("ab");
const context: RewardContext = {
  verify: async (_, { text }) =>
    text === "down"
      ? { outcome: "void", reason: "down" }
      : { outcome: "scored", score: text === "ba" ? 1 : 0 },
  task: reverse(),
  models: noModels,
  seed: 1,
};
const said = (text: string, turn = 0): Rollout => ({
  ...rolloutOf(item, text),
  ...(turn === 0 ? {} : { turn }),
});
const critique = (text: string, index: number, turn = 1): Rollout => ({
  ...rolloutOf({ ...item, canonical: `critique ${turn} ${index}:${item.canonical}` }, text, {
    role: "critic",
  }),
});
const rewardsOf = async (rollouts: readonly Rollout[]) => {
  const group: RolloutGroup = { item, rollouts };
  const [scored] = await trajectories().reward([group], context);
  expect(scored?.rollouts.map(({ rollout }) => rollout)).toEqual(rollouts);
  return scored?.rollouts.map(({ reward }) => reward);
};

test("a critique and the revision after it are worth what came of them, a first attempt what it is worth itself", async () => {
  const rollouts = [
    said("x"),
    said("ba"),
    critique("mend", 0),
    critique("spoil", 1),
    said("ba", 1),
    said("x", 1),
  ];
  expect(await rewardsOf(rollouts)).toEqual([0, 1, 1, 0, 1, 0]);
});

test("over several turns the last answer counts", async () => {
  const rollouts = [
    ...[said("x"), critique("first", 0), said("x", 1)],
    ...[critique("second", 0, 2), said("ba", 2)],
  ];
  expect(await rewardsOf(rollouts)).toEqual([0, 1, 1, 1, 1]);
});

test("what could not be judged gives nobody a reward; what stands outside of trajectories answers for itself", async () => {
  expect(await rewardsOf([said("ba"), critique("c", 0), said("down", 1), said("ba")])).toEqual([
    1,
    null,
    null,
    1,
  ]);
  expect(await rewardsOf([said("ba"), said("x")])).toEqual([1, 0]);
});

test("has the origin of what it is made of", () => {
  expect(trajectories()).toMatchObject({ origin: "external", description: { by: "verifier" } });
});
