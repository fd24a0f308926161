import { expect, test } from "vitest";
import type { ScoredGroup } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { groupOf, itemOf, letters, noModels, type Said } from "../rollout/testing/fakes.ts";
import { type RewardPart, repetition } from "./index.ts";
import { clusterShares } from "./repetition/cluster-shares.ts";

const sharesOf = (texts: readonly string[], threshold = 0.5): number[] =>
  clusterShares(
    texts.map((text) => letters.encode(text)),
    threshold,
  );
/** Gives what it is told, and an item with each. */
const giving = (scored: readonly ScoredGroup[]): RewardPart => ({
  name: "given",
  description: { form: "middle" },
  origin: "external",
  peers: 1,
  reward: async () => [...scored],
});
const rewardsOf = async (
  attempts: readonly (readonly (readonly [Said, number | null])[])[],
  options = {},
): Promise<ScoredGroup[]> => {
  const groups = attempts.map((own, at) => groupOf(`p${at}`, own));
  const made = groups.map(({ item, rollouts }) => ({
    item,
    rollouts: rollouts.map((one) => ({ ...one, made: itemOf(one.rollout.response.text) })),
  }));
  const part = repetition({ of: giving(made), ...options });
  return part.reward([], { verify: () => Promise.reject(), task: reverse(), models: noModels, seed: 1 });
};

test("a cluster is what says the same or nearly, and its share that of the whole batch", () => {
  // Of "abcdefgh" and "abcdefgx" 7 of 8 letters match, 6 of 7 pairs, 5 of 6 and 4 of 5: BLEU is (7/8 · 6/7 · 5/6 · 4/5)^¼ = .841.
  const texts = ["abcdefgh", "stuvwxyz", "abcdefgx", "abcdefgh"];
  expect(sharesOf(texts)).toEqual([0.75, 0.25, 0.75, 0.75]);
  expect(sharesOf(texts, 0.16)).toEqual([0.75, 0.25, 0.75, 0.75]);
  expect(sharesOf(texts, 0.158)).toEqual([0.5, 0.25, 0.25, 0.5]);
  // What is the same is so however short it is.
  expect(sharesOf(["a", "a", "b"])).toEqual([2 / 3, 2 / 3, 1 / 3]);
  expect(sharesOf([])).toEqual([]);
});

test("a shorter text is less like a longer one, and one that shares no token not at all", () => {
  // Half as long: precision 1, brevity e^(1 − 2) one way; (4/8 · 3/7 · 2/6 · 1/5)^¼ the other. Their mean is .3568.
  const texts = ["abcd", "abcdefgh"];
  expect(sharesOf(texts, 1 - 0.357)).toEqual([0.5, 0.5]);
  expect(sharesOf(texts, 1 - 0.3565)).toEqual([1, 1]);
  expect(sharesOf(["abcd", "efgh"], 1)).toEqual([0.5, 0.5]);
});

test("clusters are joined by the mean of all distances between them", () => {
  // The middle is .159 from either end, the ends .322 from each other: the second is joined to a pair at the mean of both.
  const chain = ["xbcdefgh", "abcdefgh", "abcdefgx"];
  expect(sharesOf(chain, 0.2)).toEqual([2 / 3, 2 / 3, 1 / 3]);
  expect(sharesOf(chain, 0.3)).toEqual([1, 1, 1]);
});

test("takes the share from what is worth something, and leaves what is made", async () => {
  const [first, second] = await rewardsOf([
    [
      ["abcdefgh", 0.9],
      ["abcdefgx", 0.3],
    ],
    [
      ["abcdefgh", 0],
      ["stuvwxyz", 1],
      ["no", -0.1],
      ["cut", null],
    ],
  ]);
  expect(first?.rollouts.map(({ reward }) => reward)).toEqual([expect.closeTo(0.3), 0]);
  expect(second?.rollouts.map(({ reward }) => reward)).toEqual([0, 0.8, -0.1, null]);
  expect(second?.rollouts.map(({ parts }) => parts.repetition)).toEqual([0.6, 0.2, 0.2, undefined]);
  expect(first?.rollouts.map(({ made }) => made?.prompt)).toEqual(["abcdefgh", "abcdefgx"]);
  const [half] = await rewardsOf([[["abcdefgh", 0.9]]], { weight: 0.5 });
  expect(half?.rollouts[0]?.reward).toBeCloseTo(0.4, 12);
});

test("is its reward and more, and refuses what is none", () => {
  expect(repetition({ of: giving([]) })).toMatchObject({
    name: "given less repetition",
    origin: "external",
    description: { form: "middle", repetition: 1, threshold: 0.5 },
  });
  expect(() => repetition({ of: "x" } as never)).toThrow(/expected a reward/);
  expect(() => repetition({ of: giving([]), treshold: 1 } as never)).toThrow(/did you mean "threshold"/);
});
