import type { Datum, Loss, OptimizerStep } from "../../../../foundation/contract/index.ts";
import { weightsOf } from "../../conformance/as-weights.ts";
import { assertAllClose, assertMoved, fail } from "../../conformance/assert.ts";
import { type Bench, crossEntropy } from "../../conformance/bench.ts";
import { policyData } from "../../conformance/policy-data.ts";

const indices = [0, 1, 2, 3];

/** The weights a step of plain descent leads to, seen in the logprobs of `data`, after these calls. */
export async function after(
  bench: Bench,
  data: readonly Datum[],
  calls: readonly (readonly [data: readonly Datum[], loss: Loss])[],
  step: OptimizerStep,
): Promise<readonly number[]> {
  const model = await bench.model();
  for (const [given, loss] of calls) await model.forwardBackward(given, { loss, logprobs: "none" });
  await model.optimStep(step);
  return bench.logprobs(model, data);
}

/**
 * A step of plain descent on `data` that moves the logprobs enough to be measured, and no farther than it must. What is
 * `clipped` may have to go as much farther as the gradient is longer than that norm.
 */
export async function measurableStep(
  bench: Bench,
  before: readonly number[],
  data: readonly Datum[],
  clipped?: number,
): Promise<OptimizerStep> {
  const farthest = clipped === undefined ? 1e4 : 1e6 / clipped;
  const clip = clipped === undefined ? {} : { gradientClipNorm: clipped };
  return shortestStep(bench, before, data, farthest, (distance) => ({ ...bench.descent(distance), ...clip }));
}

/** The first of these steps, each 8 times as long as the one before, that moves the logprobs enough to be measured. */
export async function shortestStep(
  bench: Bench,
  before: readonly number[],
  data: readonly Datum[],
  farthest: number,
  stepOf: (distance: number) => OptimizerStep,
): Promise<OptimizerStep> {
  const enough = 60 * bench.trainedCloseness.mean;
  for (let distance = 1e-3; distance < farthest; distance *= 8) {
    const step = stepOf(distance);
    const now = await after(bench, data, [[data, crossEntropy]], step);
    if (now.some((value, at) => Math.abs(value - (before[at] as number)) > enough)) return step;
  }
  return fail("no step along the gradient moves the policy");
}

/**
 * Weights have the size and the sign that they are given: twice the weight is two calls, and opposite ones cancel. Seen in
 * what a step does to logprobs, which every server tells. Throws `conformance-failed`.
 */
export async function probeWeights(bench: Bench): Promise<void> {
  const data = bench.weighted(indices);
  const before = await bench.logprobs(await bench.model(), data);
  const step = await measurableStep(bench, before, data);
  const [two, one] = [bench.weighted(indices, 2), bench.weighted(indices, 1)];
  const doubled = await after(bench, data, [[two, crossEntropy]], step);
  assertMoved("the policy", doubled, before, bench.trainedCloseness);
  const twice = await after(
    bench,
    data,
    [
      [one, crossEntropy],
      [one, crossEntropy],
    ],
    step,
  );
  assertAllClose(bench, "a logprob after a step of twice the weight", doubled, twice, bench.trainedCloseness);
  const opposite = [...one, ...bench.weighted(indices, -1)];
  const cancelled = await after(bench, data, [[opposite, crossEntropy]], step);
  assertAllClose(bench, "a logprob after opposite weights", cancelled, before, bench.trainedCloseness);
}

/** A named loss has the gradient of its derivatives as weights, which must be right. Throws `conformance-failed`. */
export async function probeLoss(bench: Bench, loss: Loss): Promise<void> {
  const model = await bench.model();
  const { data: all, logprobs } = await policyData(bench, model, indices);
  // The API has a mask for gspo's ratio alone, of zeros and ones; what the client makes of others is not the server's to prove.
  const data = all.map(({ mask, ...datum }) =>
    loss.name === "gspo" && mask !== undefined ? { ...datum, mask: mask.map(Math.ceil) } : datum,
  );
  const weighed = weightsOf({ data, logprobs }, loss, 1);
  const before = logprobs.flatMap((values) => Array.from(values));
  const step = await measurableStep(bench, before, weighed);
  const named = await after(bench, data, [[data, loss]], step);
  const expected = await after(bench, data, [[weighed, crossEntropy]], step);
  assertMoved(`the policy of ${loss.name}`, expected, before, bench.trainedCloseness);
  assertAllClose(bench, `a logprob after a step of ${loss.name}`, named, expected, bench.trainedCloseness);
}
