import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { ScoredGroup } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { FakeModel, groupOf, itemOf, noModels, policyOf, rolloutOf } from "../rollout/testing/fakes.ts";
import { groupAdvantages, type PolicyGradientOptions, policyGradient } from "./policy-gradient.ts";

const rewards = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 12 });
const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

describe("groupAdvantages", () => {
  property.prop([rewards])("have mean 0 and deviation 1, in the order of their rewards", (given) => {
    const advantages = groupAdvantages(given, true);
    const spread = Math.max(...given) - Math.min(...given);
    if (advantages === undefined) {
      expect(spread).toBeLessThan(1e-5);
      return;
    }
    expect(mean(advantages)).toBeCloseTo(0, 6);
    expect(mean(advantages.map((one) => one ** 2))).toBeCloseTo(1, 6);
    for (const [index, reward] of given.entries())
      for (const [other, against] of given.entries())
        if (reward > against) expect(advantages[index]).toBeGreaterThanOrEqual(advantages[other] as number);
  });

  test("without division they keep the rewards' scale", () => {
    expect(groupAdvantages([1, 0, 0, 0], false)).toEqual([0.75, -0.25, -0.25, -0.25]);
    expect(groupAdvantages([1, 0], true)).toEqual([1, -1]);
  });

  test.each([[[1, 1, 1]], [[0, 0]], [[0.3, 0.3, 0.3]]])("%j teaches nothing", (given) => {
    expect(groupAdvantages(given, true)).toBeUndefined();
    expect(groupAdvantages(given, false)).toBeUndefined();
  });
});

const update = async (
  groups: readonly ScoredGroup[],
  options: PolicyGradientOptions = {},
  role = "solver",
) => {
  const model = new FakeModel();
  const outcome = await policyGradient(options).update({
    policy: policyOf(model, role),
    groups,
    replay: { base: [], older: [] },
    task: reverse(),
    models: noModels,
    random: randomStream(0, "update"),
    from: 0,
    to: 1,
  });
  return { model, outcome, batch: model.trained[0] };
};

describe("policyGradient", () => {
  test("advantages, logprobs and mask stand where the response is predicted", async () => {
    const item = itemOf("ab");
    const attempt = (text: string, logprobs: number[], reward: number) => ({
      rollout: rolloutOf(item, text, { logprobs }),
      reward,
      parts: {},
    });
    const { batch, outcome, model } = await update([
      { item, rollouts: [attempt("ba", [-0.1, -0.2, -0.3], 1), attempt("b", [-0.4, -0.5], 0)] },
    ]);
    expect(batch?.options).toEqual({ loss: { name: "importance_sampling" }, logprobs: "none" });
    const fifth = Math.fround(1 / 5);
    const [right, wrong] = batch?.data ?? [];
    // Context 1 a b, response b a 2: positions 2, 3 and 4 predict the response.
    expect(right).toEqual({
      tokens: Int32Array.of(1, 97, 98, 98, 97),
      targets: Int32Array.of(97, 98, 98, 97, 2),
      advantages: Float32Array.of(0, 0, fifth, fifth, fifth),
      logprobs: Float32Array.of(0, 0, -0.1, -0.2, -0.3),
      mask: Float32Array.of(0, 0, 1, 1, 1),
    });
    expect(wrong).toEqual({
      tokens: Int32Array.of(1, 97, 98, 98),
      targets: Int32Array.of(97, 98, 98, 2),
      advantages: Float32Array.of(0, 0, -fifth, -fifth),
      logprobs: Float32Array.of(0, 0, -0.4, -0.5),
      mask: Float32Array.of(0, 0, 1, 1),
    });
    expect(outcome).toMatchObject({ tokensTrained: 5, realTokens: 0, losses: [0.01] });
    expect([...outcome.uses].map(([{ answer, writer }, times]) => [answer, writer?.rollout, times])).toEqual([
      ["ba", 0, 1],
      ["b", 1, 1],
    ]);
    expect(model.steps).toMatchObject([{ learningRate: 3e-4, gradientClipNorm: 1 }]);
  });

  test("every token weighs the same, over all groups whose rewards differ", async () => {
    const { batch, outcome } = await update([
      groupOf("a", [
        ["x", 1],
        ["yyyyy", 0],
      ]),
      groupOf("b", [
        ["zzz", 1],
        ["zz", 1],
      ]),
      groupOf("c", [
        ["x", 0.5],
        ["yy", 0.5],
        ["z", 0.25],
        ["w", 0.75],
      ]),
    ]);
    const tokens = 2 + 6 + (2 + 3 + 2 + 2);
    expect(outcome.tokensTrained).toBe(tokens);
    expect(batch?.data).toHaveLength(6);
    const sizes = batch?.data.map(({ advantages }) => Math.abs(advantages?.at(-1) ?? Number.NaN)) ?? [];
    expect(sizes.slice(0, 2)).toEqual([Math.fround(1 / tokens), Math.fround(1 / tokens)]);
    // Rewards .5 .5 .25 .75: centred 0 0 −¼ ¼, deviation √(1/32).
    const great = Math.fround(0.25 / Math.sqrt(1 / 32) / tokens);
    expect(sizes.slice(2)).toEqual([0, 0, great, great]);
  });

  test("each role learns from its own attempts, and void ones count for nothing", async () => {
    const item = itemOf("ab");
    const attempt = (role: string, text: string, reward: number | null) => ({
      rollout: rolloutOf(item, text, { role }),
      reward,
      parts: {},
    });
    const group: ScoredGroup = {
      item,
      rollouts: [
        attempt("solver", "s", 1),
        attempt("solver", "t", null),
        attempt("solver", "u", 0),
        attempt("peer", "v", 1),
        attempt("peer", "w", null),
      ],
    };
    const { batch } = await update([group]);
    expect(batch?.data.map(({ targets }) => String.fromCharCode(targets.at(-2) ?? 0))).toEqual(["s", "u"]);
    expect((await update([group], {}, "peer")).model.log).toEqual([]);
  });

  test("makes no step where no group teaches anything", async () => {
    const { model, outcome } = await update([
      groupOf("a", [
        ["x", 1],
        ["y", 1],
      ]),
      groupOf("b", [["x", 0]]),
    ]);
    expect(model.log).toEqual([]);
    expect(outcome.tokensTrained).toBe(0);
  });

  test("ppo gets its bounds; no other loss takes them", async () => {
    const groups = [
      groupOf("a", [
        ["x", 1],
        ["y", 0],
      ]),
    ];
    const clipped = await update(groups, { loss: "ppo", clipHigh: 1.28 });
    expect(clipped.batch?.options.loss).toEqual({ name: "ppo", clipLow: 0.8, clipHigh: 1.28 });
    expect(policyGradient({ loss: "ppo" }).description).toMatchObject({
      loss: "ppo",
      clipLow: 0.8,
      clipHigh: 1.2,
    });
    expect(policyGradient().description).not.toHaveProperty("clipLow");
    expect(() => policyGradient({ clipHigh: 1.28 })).toThrow(/"clipHigh": only loss: "ppo" clips the ratio/);
    expect(() => policyGradient({ loss: "ppo", clipLow: 1.5 })).toThrow(/"clipLow"/);
  });
});
