import type { EngineModel, OptimizerStep } from "../../../../foundation/contract/index.ts";
import { assertAllClose, assertMoved } from "../../conformance/assert.ts";
import { type Bench, crossEntropy } from "../../conformance/bench.ts";
import { after, measurableStep, shortestStep } from "./weights-probe.ts";

const indices = [0, 1, 2, 3];
const quiet = { loss: crossEntropy, logprobs: "none" } as const;

/** Far below the norm of any gradient of a few examples, however they are averaged. */
const small = 1e-5;
/** Far above it. */
const large = 1e12;

/**
 * A gradient is cut to the norm that a step says, and only where it is longer. A step of plain descent goes rate · norm far,
 * so under a small clip half the norm at twice the rate leads to the same weights, whatever the gradient's own norm is, which
 * a server may not tell; where the clip is left out it goes twice as far. Throws `conformance-failed`.
 */
export async function probeClipping(bench: Bench): Promise<void> {
  const data = bench.weighted(indices);
  const before = await bench.logprobs(await bench.model(), data);
  const reached = (step: Parameters<typeof after>[3]) => after(bench, data, [[data, crossEntropy]], step);
  const within = bench.trainedCloseness;
  const clipped = await measurableStep(bench, before, data, small);
  const once = await reached(clipped);
  assertMoved("the policy, under a clip,", once, before, within);
  const halves = { ...clipped, learningRate: 2 * clipped.learningRate, gradientClipNorm: small / 2 };
  const what = "a logprob after half the norm at twice the rate";
  assertAllClose(bench, what, await reached(halves), once, within);
  const free = await measurableStep(bench, before, data);
  const loose = await reached({ ...free, gradientClipNorm: large });
  assertAllClose(bench, "a logprob after a step below its clip", loose, await reached(free), within);
}

/**
 * A step without a gradient multiplies the weights by 1 − rate · decay, and does nothing else: a half twice is a quarter once,
 * and at half the rate with twice the decay too. Seen in logprobs, whatever the weights are, which a server may not tell; and
 * under an epsilon far above them, so that a decay which goes through the gradient shrinks nothing. Throws `conformance-failed`.
 */
export async function probeDecay(bench: Bench): Promise<void> {
  const data = bench.weighted(indices);
  const start = await bench.logprobs(await bench.model(), data);
  const trained = await measurableStep(bench, start, data);
  const reached = async (...decays: readonly (readonly [rate: number, decay: number])[]) => {
    const model = await bench.model();
    await model.forwardBackward(data, quiet);
    await model.optimStep(trained);
    for (const [learningRate, weightDecay] of decays)
      await model.optimStep({ ...trained, learningRate, weightDecay });
    return bench.logprobs(model, data);
  };
  const once = await reached([0.5, 1.5]);
  const within = bench.trainedCloseness;
  assertMoved("the policy, by weights of a quarter of their size,", once, await reached(), within);
  const twice = await reached([0.5, 1], [0.5, 1]);
  assertAllClose(bench, "a logprob after half the weights, twice", twice, once, within);
  const slower = await reached([0.25, 3]);
  assertAllClose(bench, "a logprob after twice the decay at half the rate", slower, once, within);
}

/**
 * A first gradient g at a rate of 0 moves nothing, and is remembered; then comes one of w·g. Under an epsilon far above both, the step is
 * their mean by β₁, (β₁ + w) / (1 + β₁) of g; under none, and with β₁ = 0, it is g's sign times w·√((1 + β₂) / (β₂ + w²)). Each must lead
 * where a step without a memory leads at that rate. With w a power of two the gradients have the same digits. Throws
 * `conformance-failed`.
 */
export async function probeBetas(bench: Bench): Promise<void> {
  const part = 0.25;
  const [data, less] = [bench.weighted(indices), bench.weighted(indices, part)];
  const start = await bench.logprobs(await bench.model(), data);
  const plain = await measurableStep(bench, start, data);
  const reached = async (step: OptimizerStep, remembered = false): Promise<readonly number[]> => {
    const model = await bench.model();
    if (remembered) {
      await model.forwardBackward(data, quiet);
      await model.optimStep({ ...step, learningRate: 0 });
    }
    await model.forwardBackward(remembered ? less : data, quiet);
    await model.optimStep(step);
    return bench.logprobs(model, data);
  };
  const compare = async (what: string, step: OptimizerStep, share: number): Promise<void> => {
    const forgetful = { ...step, beta1: 0, beta2: 0, learningRate: step.learningRate * share };
    const expected = await reached(forgetful);
    assertMoved(`the policy, by ${what},`, expected, start, bench.trainedCloseness);
    assertAllClose(
      bench,
      `a logprob after ${what}`,
      await reached(step, true),
      expected,
      bench.trainedCloseness,
    );
  };
  // No server's own: who takes others than it is asked for takes larger ones.
  const beta = 0.5;
  await compare(`a beta1 of ${beta}`, { ...plain, beta1: beta, beta2: 0 }, (beta + part) / (1 + beta));
  const signed = await shortestStep(bench, start, data, 1e3, (learningRate) => ({
    learningRate,
    epsilon: 1e-20,
    weightDecay: 0,
    beta1: 0,
    beta2: 0,
  }));
  const share = part * Math.sqrt((1 + beta) / (beta + part ** 2));
  await compare(`a beta2 of ${beta}`, { ...signed, beta2: beta }, share);
}

/**
 * What is loaded without its optimiser takes its next step as a first one: with betas that remember it goes where the gradient
 * alone leads, which is where the model that was saved goes with betas of 0. The steps before went after other data, so that
 * what they left behind would show. Throws `conformance-failed`, and whatever loading throws.
 */
export async function probeFreshOptimizer(bench: Bench): Promise<void> {
  const [earlier, data] = [bench.weighted(indices.slice(2)), bench.weighted(indices.slice(0, 2))];
  const start = await bench.logprobs(await bench.model(), data);
  const forgetful = await measurableStep(bench, start, data);
  const model = await bench.model();
  for (let step = 0; step < 3; step++) {
    await model.forwardBackward(earlier, quiet);
    await model.optimStep({ learningRate: 0.02, epsilon: 1e-2, weightDecay: 0 });
  }
  const path = await bench.path("moments");
  await model.save({ path });
  const before = await bench.logprobs(model, data);
  const again = await bench.modelFrom({ kind: "checkpoint", path, optimizer: false });
  const loaded = await bench.logprobs(again, data);
  assertAllClose(bench, "a loaded logprob", loaded, before, bench.logprobCloseness);
  const went = async (one: EngineModel, step: typeof forgetful): Promise<readonly number[]> => {
    await one.forwardBackward(data, quiet);
    await one.optimStep(step);
    return bench.logprobs(one, data);
  };
  const expected = await went(model, forgetful);
  assertMoved("the policy, by one more step,", expected, before, bench.trainedCloseness);
  const found = await went(again, { ...forgetful, beta1: 0.9, beta2: 0.999 });
  const what = "a logprob after a first step of what was loaded";
  assertAllClose(bench, what, found, expected, bench.trainedCloseness);
}
