import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import { reverse } from "../../world/task/index.ts";
import { exampleOfRollout } from "../rollout/index.ts";
import { FakeModel, groupOf, noModels, policyOf } from "../rollout/testing/fakes.ts";
import { type Derived, derivativeFault, derivativeTolerance, negated } from "./testing/derivative.ts";
import { tabularPolicy } from "./testing/tabular-policy.ts";
import { type Signed, unlikelihood, unlikelihoodLoss } from "./unlikelihood.ts";

const signed: readonly Signed[] = groupOf("a", [
  ["x", 1],
  ["yy", 0],
]).rollouts.map(({ rollout, reward }) => ({ example: exampleOfRollout(rollout), kept: reward === 1 }));

describe("the loss", () => {
  const loss = unlikelihoodLoss(signed, 0.6);
  // Two tokens of the kept response, then three of the rejected one.
  const derived: Derived = (at) => {
    const value = loss([at.slice(0, 2), at.slice(2)]);
    return { loss: value.loss, slopes: value.slopes.flat() };
  };
  const at = [-0.5, -2, -0.01, -1, -6];

  test("has the derivative of its value, and a negated one is found out", () => {
    expect(derivativeFault(derived, at)).toBeLessThan(derivativeTolerance);
    expect(derivativeFault(negated(derived), at)).toBeGreaterThan(1);
  });

  test("is −log p of what was kept and −α·log(1 − p) of what was rejected, per token", () => {
    const expected = 2.5 - 0.6 * [-0.01, -1, -6].reduce((sum, one) => sum + Math.log(1 - Math.exp(one)), 0);
    expect(derived(at).loss).toBeCloseTo(expected / 5, 12);
    expect(Number.isFinite(derived([0, 0, 0, 0, 0]).loss)).toBe(true);
  });
});

const learningOf = (groups: ReturnType<typeof groupOf>[]) => ({
  groups,
  replay: { base: [], older: [] },
  random: randomStream(0, "unlikelihood"),
  role: "solver",
});

describe("unlikelihood", () => {
  test("learns from items that have both kinds alone; what lies between is left alone, and void is not there", () => {
    const part = unlikelihood({ batch: 2 });
    const both = groupOf("a", [
      ["x", 1],
      ["y", 0],
      ["z", 0.5],
      ["v", null],
    ]);
    const learning = learningOf([both, groupOf("b", [["x", 1]]), groupOf("c", [["x", 0]])]);
    expect(part.compared?.(learning)).toMatchObject({ taught: 1, skipped: 2 });
    expect(part.steps({ newest: 0, base: 0 }, learning)).toBe(1);
    expect(part.steps({ newest: 5, base: 0 })).toBe(3);
    expect(part.learnsBy).toBe("preference");
  });

  test("makes no step where nothing is there to set against", async () => {
    const model = new FakeModel();
    await unlikelihood().update({
      policy: policyOf(model),
      task: reverse(),
      models: noModels,
      ...learningOf([groupOf("b", [["x", 1]])]),
      from: 0,
      to: 1,
    });
    expect(model.log).toEqual([]);
  });

  test("on a table the kept answer becomes likelier and the rejected one less likely", async () => {
    await using table = await tabularPolicy({ sgd: true });
    const group = await table.group("ab", [
      ["c", 1],
      ["d", 0],
    ]);
    const before = [await table.logprob("ab", "c"), await table.logprob("ab", "d")] as const;
    await unlikelihood({ epochs: 20, batch: 2, learningRate: 1 }).update({
      policy: table.policy,
      task: reverse(),
      models: noModels,
      ...learningOf([group]),
      from: 0,
      to: 20,
    });
    expect(await table.logprob("ab", "c")).toBeGreaterThan(before[0] + 0.5);
    expect(await table.logprob("ab", "d")).toBeLessThan(before[1] - 0.5);
  });

  test.each([
    [{ alpha: 0 }, /"alpha"/],
    [{ rejectedTo: 1 }, /"rejectedTo"/],
    [{ epoch: 1 }, /did you mean "epochs"/],
  ])("refuses %o", (options, message) => {
    expect(() => unlikelihood(options as object)).toThrow(message);
  });
});
