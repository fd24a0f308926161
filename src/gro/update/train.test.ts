import { describe, expect, test } from "vitest";
import type { Datum, Example } from "../../foundation/contract/index.ts";
import { exampleLike, FakeModel, policyOf, someWriter } from "../rollout/testing/fakes.ts";
import { type Batch, trainBatches } from "./train.ts";

/** The even steps' example has five tokens that no model wrote, the odd ones' two of a model. */
const examples: readonly [Example, Example] = [
  exampleLike({ response: new Int32Array(5) }),
  exampleLike({ writer: someWriter }),
];
const batchOf = (step: number): Batch => {
  const datum: Datum = { tokens: Int32Array.of(step), targets: Int32Array.of(step) };
  return {
    data: [datum],
    loss: { name: "cross_entropy" },
    tokens: 10 + step,
    examples: [examples[step % 2 === 0 ? 0 : 1]],
  };
};
const stepsOf = ({ trained }: FakeModel): (number | undefined)[] =>
  trained.map(({ data }) => data[0]?.tokens[0]);

describe("trainBatches", () => {
  test("is a gradient and a step a batch, in order, each at its own learning rate", async () => {
    const model = new FakeModel();
    const told: (number | null)[][] = [];
    const outcome = await trainBatches({
      policy: policyOf(model),
      from: 2,
      to: 5,
      batchAt: batchOf,
      learningRateAt: (step) => step / 10,
      onProgress: (step, loss) => told.push([step, loss]),
    });
    expect(model.log).toEqual([
      "forwardBackward",
      "optimStep",
      "forwardBackward",
      "optimStep",
      "forwardBackward",
      "optimStep",
    ]);
    expect(stepsOf(model)).toEqual([2, 3, 4]);
    expect(model.steps.map(({ learningRate }) => learningRate)).toEqual([0.2, 0.3, 0.4]);
    expect(model.steps[0]).toMatchObject({
      optimizer: "adamw",
      beta2: 0.98,
      weightDecay: 0.01,
      gradientClipNorm: 1,
    });
    expect(model.trained[0]?.options).toEqual({ loss: { name: "cross_entropy" }, logprobs: "none" });
    expect(told).toEqual([
      [3, 0.02],
      [4, 0.03],
      [5, 0.04],
    ]);
    const uses = new Map([
      [examples[0], 2],
      [examples[1], 1],
    ]);
    expect(outcome).toEqual({
      tokensTrained: 39,
      realTokens: 10,
      positionsTrained: 3,
      losses: [0.02, 0.03, 0.04],
      uses,
    });
  });

  test("makes no step where there is nothing to learn from", async () => {
    const model = new FakeModel();
    const batchAt = (step: number) => (step === 1 ? batchOf(step) : undefined);
    const outcome = await trainBatches({
      policy: policyOf(model),
      from: 0,
      to: 3,
      batchAt,
      learningRateAt: () => 1,
    });
    expect(stepsOf(model)).toEqual([1]);
    const uses = new Map([[examples[1], 1]]);
    expect(outcome).toEqual({ tokensTrained: 11, realTokens: 0, positionsTrained: 1, losses: [0.01], uses });
  });

  test("keeps an engine that is slow busy, with eight steps and no more", async () => {
    const model = new FakeModel();
    const { promise, resolve } = Promise.withResolvers<void>();
    model.wait = promise;
    const training = trainBatches({
      policy: policyOf(model),
      from: 0,
      to: 12,
      batchAt: batchOf,
      learningRateAt: () => 1,
    });
    await new Promise((turn) => setImmediate(turn));
    expect(stepsOf(model)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    resolve();
    expect((await training).tokensTrained).toBe(12 * 10 + 66);
    expect(stepsOf(model)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  test("ends with the engine's error, leaving none unheard", async () => {
    const model = new FakeModel();
    let calls = 0;
    model.optimStep = async () => {
      calls += 1;
      throw new Error(`step ${calls}`);
    };
    await expect(
      trainBatches({ policy: policyOf(model), from: 0, to: 50, batchAt: batchOf, learningRateAt: () => 1 }),
    ).rejects.toThrow("step 1");
    expect(calls).toBeLessThan(10);
  });

  test("ends before the next step when it is asked to", async () => {
    const model = new FakeModel();
    const controller = new AbortController();
    const batchAt = (step: number): Batch => {
      if (step === 2) controller.abort(new Error("enough"));
      return batchOf(step);
    };
    await expect(
      trainBatches({
        policy: policyOf(model),
        from: 0,
        to: 9,
        batchAt,
        learningRateAt: () => 1,
        signal: controller.signal,
      }),
    ).rejects.toThrow("enough");
    expect(stepsOf(model)).toEqual([0, 1, 2]);
  });

  test("a loss without a name: its derivative by each logprob, with the opposite sign, weighs cross-entropy", async () => {
    const model = new FakeModel({ trainerLogprob: -2 });
    const batch: Batch = {
      ...batchOf(1),
      data: [{ tokens: Int32Array.of(1, 2), targets: Int32Array.of(2, 3) }],
      // Σ logp², whose derivative is 2·logp.
      loss: (logprobs) => ({
        loss: logprobs.reduce((sum, own) => sum + own.reduce((total, one) => total + one * one, 0), 0),
        gradients: logprobs.map((own) => own.map((one) => 2 * one)),
      }),
    };
    const outcome = await trainBatches({
      policy: policyOf(model),
      from: 0,
      to: 2,
      batchAt: async () => batch,
      learningRateAt: () => 1,
    });
    expect(model.log).toEqual([
      "forward",
      "forwardBackward",
      "optimStep",
      "forward",
      "forwardBackward",
      "optimStep",
    ]);
    expect(model.trained[0]?.options).toEqual({ loss: { name: "cross_entropy" }, logprobs: "none" });
    expect([...(model.trained[0]?.data[0]?.weights ?? [])]).toEqual([4, 4]);
    expect(outcome.losses).toEqual([8, 8]);
  });
});
