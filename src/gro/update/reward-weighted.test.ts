import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { ScoredGroup } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { FakeModel, groupOf, noModels, policyOf } from "../rollout/testing/fakes.ts";
import { type RewardWeightedOptions, rewardWeighted } from "./reward-weighted.ts";
import { tabularPolicy } from "./testing/tabular-policy.ts";

const rest = {
  replay: { base: [], older: [] },
  task: reverse(),
  models: noModels,
  random: randomStream(0, "weighted"),
};
const update = async (groups: readonly ScoredGroup[], options: RewardWeightedOptions) => {
  const model = new FakeModel();
  const part = rewardWeighted(options);
  const to = part.steps({ newest: 0, base: 0 }, { ...rest, groups, role: "solver" });
  await part.update({ ...rest, policy: policyOf(model), groups, from: 0, to });
  return { to, data: model.trained.flatMap(({ data }) => data) };
};
const ranked = groupOf("a", [
  ["x", 1],
  ["yy", 0.5],
  ["z", null],
]);

describe("rewardWeighted", () => {
  test("weighs each response by exp(r/τ), the best as in imitation", async () => {
    const { data } = await update([ranked], { temperature: 0.5 });
    const less = Math.exp(-1);
    const whole = 2 + 3;
    const byLength = data.toSorted((a, b) => a.tokens.length - b.tokens.length);
    expect(byLength.map(({ weights }) => weights?.at(-1))).toEqual([
      Math.fround(1 / whole),
      Math.fround(less / whole),
    ]);
  });

  test("takes the best of each prompt, where so many are asked for; another prompt has its own", async () => {
    const groups: ScoredGroup[] = [
      { item: ranked.item, rollouts: [...ranked.rollouts, ...groupOf("b", [["w", 0.5]]).rollouts] },
    ];
    const { data, to } = await update(groups, { mostPerPrompt: 1, batch: 1 });
    expect(to).toBe(2);
    expect(data.map(({ targets }) => String.fromCharCode(targets.at(-2) ?? 0)).sort()).toEqual(["w", "x"]);
  });

  test("what is worth little weighs little, in a batch of its own too", async () => {
    const { data } = await update([ranked, groupOf("b", [["w", 0.25]])], { temperature: 0.5, batch: 1 });
    const byWeight = data.map(({ weights }) => weights?.at(-1) ?? 0).sort((a, b) => b - a);
    expect(byWeight).toEqual([1 / 2, Math.exp(-1) / 3, Math.exp(-1.5) / 2].map(Math.fround));
  });

  test("a prompt of which nothing is worth anything is skipped and counted; where all are, no step is made", async () => {
    const wrong = groupOf("b", [
      ["w", 0],
      ["v", -0.5],
    ]);
    const { data } = await update([ranked, wrong], {});
    expect(data).toHaveLength(2);
    const compared = (groups: readonly ScoredGroup[]) =>
      rewardWeighted().compared?.({ ...rest, groups, role: "solver" });
    expect(compared([ranked, wrong])).toEqual({ rewarded: expect.anything(), taught: 1, skipped: 1 });
    expect(await update([wrong], {})).toEqual({ to: 0, data: [] });
  });

  test("on a table it ends where the weights are: shares of e^r/τ among what was answered", async () => {
    await using table = await tabularPolicy({ sgd: true });
    const group = await table.group("ab", [
      ["c", 1],
      ["d", 0],
    ]);
    await rewardWeighted({ temperature: 1, epochs: 100, batch: 2, learningRate: 2 }).update({
      ...rest,
      policy: table.policy,
      groups: [group],
      from: 0,
      to: 100,
    });
    const [c = 0, d = 0] = await table.next("ab", "cd");
    expect(c - d).toBeCloseTo(1, 1);
  });

  test.each([
    [{ temperature: 0 }, /"temperature"/],
    [{ mostPerItem: 1 }, /no option "mostPerItem"|did you mean/],
  ])("refuses %o", (options, message) => {
    expect(() => rewardWeighted(options as object)).toThrow(message);
  });
});
