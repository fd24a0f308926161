import { afterAll, beforeAll, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { Item, Task } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { FakeModel, groupOf, letters, noModels, policyOf } from "../rollout/testing/fakes.ts";
import { attempts, Bandits, descending, logitsOf } from "./testing/bandit.ts";
import { type Derived, derivativeFault, derivativeTolerance, negated } from "./testing/derivative.ts";
import { thoughtBatch, thoughtGradient } from "./thought-gradient.ts";

let bandits: Bandits;
beforeAll(async () => {
  bandits = await Bandits.open();
});
afterAll(() => bandits[Symbol.asyncDispose]());

const task: Task = { ...reverse(), answerOf: (_: Item, { text }) => text.at(-1) };
const learning = (groups: ReturnType<typeof attempts>[]) => ({
  groups,
  replay: { base: [], older: [] },
  random: randomStream(0, "thoughts"),
  role: "solver",
});

test("one step from the uniform policy, by the closed form: thoughts by their gain, answers by λ", async () => {
  const rate = 0.5;
  const likelihood = 2;
  const given = attempts("p", [
    ["ax", 0.6],
    ["bx", 0.2],
    ["cx", -0.8],
  ]);
  const item = { ...given.item, answer: "y" };
  const group = {
    item,
    rollouts: given.rollouts.map((one) => ({ ...one, rollout: { ...one.rollout, item } })),
  };
  await using model = await bandits.model();
  const part = thoughtGradient({ likelihood, learningRate: rate, gradientClipNorm: 0 });
  const outcome = await part.update({
    policy: { role: "solver", model: descending(model), tokenizer: letters },
    ...learning([group]),
    task,
    models: noModels,
    from: 0,
    to: 1,
  });
  await using sampler = await model.snapshot();
  const [a, b, c] = await logitsOf(sampler, "p", ["ay", "by", "cx"]);
  // Two thoughts of one token helped; after each an answer and an end, four tokens in all.
  const { log, exp } = Math;
  expect(a?.[0]).toBeCloseTo((rate * 0.6) / 2, 5);
  expect(b?.[0]).toBeCloseTo((rate * 0.2) / 2, 5);
  expect(c?.[0]).toBeCloseTo(0, 5);
  expect(a?.[1]).toBeCloseTo((rate * likelihood) / 4, 5);
  // Nothing is learnt after a thought that did not help.
  expect(c?.[1]).toBeCloseTo(0, 5);
  expect(outcome.tokensTrained).toBe(6);
  const loss = (log(128) * (0.6 + 0.2)) / 2 + likelihood * log(128);
  expect(outcome.losses[0]).toBeCloseTo(loss, 3);
  expect(exp(-loss)).toBeLessThan(1);
});

test("its weights are the derivative of its loss, and negated ones are found out", () => {
  const likelihood = 0.7;
  const gains = [0.6, 0.2, -0.8];
  const thoughts = ["abc", "d", "ef"];
  const given = attempts(
    "p",
    thoughts.map((thought, at) => [`${thought}x`, gains[at] as number] as const),
  );
  const item = { ...given.item, answer: "y" };
  const rollouts = given.rollouts.map((one) => ({ ...one, rollout: { ...one.rollout, item } }));
  const batch = thoughtBatch([{ item, rollouts }], { role: "solver", tokenizer: letters, task, likelihood });
  // Of the two thoughts that helped, three tokens and one, each with an answer and its end.
  const lengths = [3, 1];
  const weights = batch?.data.map((datum, at) => [
    ...(datum.weights?.slice(-(lengths[at] as number) - 2) ?? []),
  ]);
  expect(weights?.map(({ length }) => length)).toEqual([5, 3]);
  const derived: Derived = (at) => {
    const own = [at.slice(0, 5), at.slice(5)];
    const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0);
    const thought = sum(
      own.map((logprobs, at) => (gains[at] as number) * sum(logprobs.slice(0, lengths[at]))),
    );
    const answer = sum(own.map((logprobs, at) => sum(logprobs.slice(lengths[at]))));
    return {
      loss: -thought / sum(lengths) - (likelihood * answer) / 4,
      slopes: (weights ?? []).flat().map((weight) => -weight),
    };
  };
  const at = [-1, -2, -0.5, -1, -2, -0.3, -4, -1];
  expect(derivativeFault(derived, at)).toBeLessThan(derivativeTolerance);
  expect(derivativeFault(negated(derived), at)).toBeGreaterThan(1);
});

test("skips and counts an item whose thoughts are worth the same, and leaves void ones out", async () => {
  const part = thoughtGradient({ likelihood: 0 });
  const same = groupOf("ab", [
    ["xa", 0],
    ["ya", 0],
    ["za", null],
  ]);
  const differing = groupOf("cd", [
    ["xa", 1],
    ["ya", -1],
  ]);
  expect(part.compared?.(learning([same, differing, groupOf("ef", [["x", null]])]))).toEqual({
    taught: 1,
    skipped: 1,
  });
  const model = new FakeModel();
  const request = { ...learning([same]), task, models: noModels, policy: policyOf(model), from: 0, to: 1 };
  const outcome = await part.update(request);
  expect([outcome.tokensTrained, model.steps.length]).toEqual([0, 0]);
  expect(part).toMatchObject({ learnsBy: "policy-gradient", attemptsPerItem: 2 });
  expect(() => thoughtGradient({ likelihod: 1 } as object)).toThrow(/did you mean "likelihood"/);
});
