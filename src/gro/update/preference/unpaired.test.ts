import { describe, expect, test } from "vitest";
import { randomStream } from "../../../foundation/base/index.ts";
import type { Example, ScoredGroup } from "../../../foundation/contract/index.ts";
import { reverse } from "../../../world/task/index.ts";
import { exampleOfRollout } from "../../rollout/index.ts";
import { FakeModel, groupOf, policyOf, samplingOf } from "../../rollout/testing/fakes.ts";
import { derivativeFault, derivativeTolerance, negated } from "../testing/derivative.ts";
import { tabularPolicy } from "../testing/tabular-policy.ts";
import { unpairedLoss, unpairedPreference, withMismatched } from "./unpaired.ts";

const labelled = ["ab", "cd", "dd"].map((prompt, index) => ({
  example: exampleOfRollout(
    groupOf(prompt, [[`${index}`.repeat(index + 1), 1]]).rollouts[0]?.rollout as never,
  ),
  desirable: index !== 1,
}));
const drawn = withMismatched(labelled);
const all: readonly Example[] = [...drawn.examples, ...drawn.mismatched];
const references = new Map(all.map((example, index) => [example, -2 - index / 3]));
const utility = { beta: 0.5, desirableWeight: 1.2, undesirableWeight: 0.7 };
const loss = unpairedLoss(drawn, references, utility);
// The mismatched ones give a point of reference above 0.
const mismatched = [-1.5, -3, -2.6];

describe("the loss of KTO", () => {
  const ofMatched = (at: readonly number[]) => {
    const { loss: value, slopes } = loss([...at, ...mismatched]);
    return { loss: value, slopes: slopes.slice(0, at.length) };
  };

  test("has the derivative of its value by the responses, with the point of reference held", () => {
    for (const at of [
      [-2, -2, -2],
      [-0.5, -4, -3],
      [-6, -1, -2.2],
    ]) {
      expect(derivativeFault(ofMatched, at)).toBeLessThan(derivativeTolerance);
      expect(derivativeFault(negated(ofMatched), at)).toBeGreaterThan(1);
    }
  });

  test("reads its point of reference off mismatched responses, never below 0, and lets no gradient through it", () => {
    expect(drawn.mismatched.map(({ item, answer }) => `${item} ${answer}`)).toEqual([
      "ab 222",
      "cd 0",
      "dd 11",
    ]);
    const at = [-2, -2, -2];
    expect(loss([...at, ...mismatched]).slopes.slice(3)).toEqual([0, 0, 0]);
    // z₀ from ratios .5+1, 0+1/3… by hand: the mean of logprob minus reference.
    const point =
      [3, 4, 5].reduce((sum, place, index) => sum + (mismatched[index] ?? 0) + 2 + place / 3, 0) / 3;
    const sigma = (x: number): number => 1 / (1 + Math.exp(-x));
    const expected = [0, 1, 2].map((index) => {
      const ratio = -2 + 2 + index / 3;
      return index === 1
        ? 0.7 * (1 - sigma(0.5 * (point - ratio)))
        : 1.2 * (1 - sigma(0.5 * (ratio - point)));
    });
    expect(loss([...at, ...mismatched]).loss).toBeCloseTo(
      expected.reduce((sum, one) => sum + one, 0) / 3,
      12,
    );
    expect(loss([...at, -9, -9, -9]).loss).not.toBeCloseTo(loss([...at, -1, -1, -1]).loss, 6);
    expect(loss([...at, -9, -9, -9]).loss).toBe(loss([...at, -19, -9, -9]).loss);
  });
});

const learningOf = (groups: readonly ScoredGroup[]) => ({
  groups,
  replay: { base: [], older: [] },
  random: randomStream(0, "kto"),
  role: "solver",
});

describe("unpairedPreference", () => {
  test("takes every distinct response, and learns nothing where all are of one kind", () => {
    const part = unpairedPreference({ batch: 2, desirableFrom: 0.5 });
    const mixed = groupOf("a", [
      ["x", 1],
      ["x", 1],
      ["y", 0.5],
      ["z", 0.2],
      ["v", null],
    ]);
    expect(part.steps({ newest: 0, base: 0 }, learningOf([mixed]))).toBe(1);
    expect(part.compared?.(learningOf([mixed]))).toMatchObject({ taught: 1, skipped: 0 });
    const right = groupOf("a", [
      ["x", 1],
      ["y", 0.9],
    ]);
    expect(part.compared?.(learningOf([right]))).toMatchObject({ taught: 0, skipped: 1 });
    expect(part.steps({ newest: 5, base: 0 }, learningOf([right]))).toBe(0);
    expect(part.steps({ newest: 6, base: 0 })).toBe(3);
  });

  test("a last response alone is learnt with the batch before it, and none is mismatched with itself", async () => {
    const model = new FakeModel();
    const group = groupOf("a", [
      ["x", 1],
      ["y", 0],
      ["z", 0],
      ["v", 1],
      ["w", 0],
    ]);
    const part = unpairedPreference({ batch: 2 });
    const learning = learningOf([group]);
    const to = part.steps({ newest: 0, base: 0 }, learning);
    await part.update({
      ...learning,
      policy: policyOf(model),
      models: { reference: async (role) => ({ ...samplingOf(() => ""), role }) },
      task: reverse(),
      from: 0,
      to,
    });
    expect(to).toBe(2);
    // Responses, and after them as many mismatched ones.
    expect(model.trained.map(({ data }) => data.length)).toEqual([4, 6]);
    for (const { data } of model.trained)
      for (const [index, { targets }] of data.slice(0, data.length / 2).entries())
        expect(data[data.length / 2 + index]?.targets).not.toEqual(targets);
    const [, last] = model.trained;
    expect(new Set(last?.data.slice(0, 3).map(({ targets }) => targets.join()))).toHaveProperty("size", 3);
  });

  test("on a table, a first step moves each answer's log-odds by ¼β·rate/n", async () => {
    await using table = await tabularPolicy({ sgd: true });
    const group = await table.group("ab", [
      ["c", 1],
      ["d", 0],
    ]);
    const before = await table.next("ab", "abcd");
    const part = unpairedPreference({ beta: 0.8, batch: 2, steps: 1, learningRate: 2 });
    await part.update({
      policy: table.policy,
      models: table.models,
      task: reverse(),
      ...learningOf([group]),
      from: 0,
      to: 1,
    });
    const after = await table.next("ab", "abcd");
    const [a, , c, d] = after.map((logprob, index) => logprob - (before[index] ?? 0)) as number[];
    const moved = ((0.8 / 4) * 2) / 2;
    expect((c ?? 0) - (a ?? 0)).toBeCloseTo(moved, 5);
    expect((d ?? 0) - (a ?? 0)).toBeCloseTo(-moved, 5);
  });

  test.each([
    [{ batch: 1 }, /"batch"/],
    [{ steps: 1, epochs: 1 }, /not both/],
    [{ lambda: 1 }, /no option "lambda"/],
  ])("refuses %o", (options, message) => {
    expect(() => unpairedPreference(options as object)).toThrow(message);
  });
});
