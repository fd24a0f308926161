import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { ScoredGroup } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { exampleOfRollout } from "../rollout/index.ts";
import { FakeModel, FakeSampler, groupOf, letters, policyOf } from "../rollout/testing/fakes.ts";
import { type Derived, derivativeFault, derivativeTolerance, negated } from "./testing/derivative.ts";
import { type Turn, type TurnGradientOptions, turnGradient, turnLoss } from "./turn-gradient.ts";

/** Attempts at turn 0 and their revisions at turn 1, with their rewards. */
const conversation = (first: readonly number[], second: readonly number[]): ScoredGroup => {
  const group = groupOf("a", [
    ...first.map((reward, index) => [`f${index}`, reward] as const),
    ...second.map((reward, index) => [`s${index}`, reward] as const),
  ]);
  return {
    item: group.item,
    rollouts: group.rollouts.map((scored, index) =>
      index < first.length ? scored : { ...scored, rollout: { ...scored.rollout, turn: 1 } },
    ),
  };
};

const learning = (groups: readonly ScoredGroup[]) => ({
  groups,
  replay: { base: [], older: [] },
  random: randomStream(0, "turns"),
});

const step = async (groups: readonly ScoredGroup[], options: TurnGradientOptions, reference = -0.5) => {
  const model = new FakeModel();
  const sampler = new FakeSampler(() => "", "base", reference);
  await turnGradient(options).update({
    ...learning(groups),
    policy: policyOf(model),
    task: reverse(),
    models: { reference: async (role) => ({ role, sampler, tokenizer: letters }) },
    from: 0,
    to: 1,
  });
  return model.trained[0]?.data.map(({ weights }) => Number((weights?.at(-1) ?? 0).toFixed(5)));
};

describe("turnGradient", () => {
  test("every turn is compared with the others at that turn, leaving itself out", async () => {
    // Four responses of three tokens: 12. Advantages ±1 at turn 0, 0 at turn 1.
    const weights = await step([conversation([1, 0], [1, 1])], { kl: [0] });
    expect(weights).toEqual([1, -1, 0, 0].map((advantage) => Number((advantage / 12).toFixed(5))));
  });

  test("where the last turn alone is taught, the first is held by its KL and moved by no reward", async () => {
    const groups = [conversation([1, 0], [1, 0])];
    expect(await step(groups, { kl: [0.5, 0], taught: "last" })).toEqual(
      [0, 0, 1, -1].map((advantage) => Number((advantage / 12).toFixed(5))),
    );
    // A reference that finds it less likely pulls the first turn down: −β(1 − e^d), d = −.3.
    const pull = Number(((0.5 * Math.expm1(-0.3)) / 12).toFixed(5));
    expect((await step(groups, { kl: [0.5, 0], taught: "last" }, -0.8))?.slice(0, 2)).toEqual([pull, pull]);
  });

  test("a group in which nothing differs is left out whole, and counted", async () => {
    const part = turnGradient();
    const groups = [conversation([1, 1], [0, 0]), conversation([1, 0], [1, 1]), conversation([1], [0])];
    expect(part.compared?.({ ...learning(groups), role: "solver" })).toMatchObject({ taught: 1, skipped: 2 });
    expect(await step([conversation([1, 1], [0, 0])], {})).toBeUndefined();
  });

  test("its loss has the derivative of its value, and a negated one is found out", () => {
    const turns = conversation([1, 0], []).rollouts.map(
      ({ rollout }, index): Turn => ({
        example: exampleOfRollout(rollout),
        advantage: index === 0 ? 0.7 : -1.3,
        beta: 0.4,
        sampled: Float32Array.of(-1, -2, -0.5),
      }),
    );
    const references = new Map(turns.map(({ example }) => [example, [-1.5, -1, -0.7]]));
    const loss = turnLoss(turns, references);
    const derived: Derived = (at) => {
      const value = loss([at.slice(0, 3), at.slice(3)]);
      return { loss: value.loss, slopes: value.slopes.flat() };
    };
    for (const at of [
      [-1, -2, -0.5, -1, -2, -0.5],
      [-0.3, -4, -1, -2, -0.1, -3],
    ]) {
      expect(derivativeFault(derived, at)).toBeLessThan(derivativeTolerance);
      expect(derivativeFault(negated(derived), at)).toBeGreaterThan(1);
    }
  });

  test("refuses what it cannot read", () => {
    expect(() => turnGradient({ kl: [] })).toThrow(/"kl"/);
    expect(() => turnGradient({ taught: "first" } as object)).toThrow(/"taught"/);
  });
});
