import type { Datum, EngineModel, Loss } from "../../../foundation/contract/index.ts";
import { asWeights, lossOf } from "../reference-loss.ts";
import { assert, assertAtMost, assertClose } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import { nameOf, type PolicyData } from "./policy-data.ts";

/** The loss's derivatives as weights, times `sign`. */
export function weightsOf({ data, logprobs }: PolicyData, loss: Loss, sign: number): Datum[] {
  return data.map((datum, index) => {
    const weighed = asWeights(loss, datum, logprobs[index] as Float32Array);
    return { ...weighed, weights: (weighed.weights ?? new Float32Array()).map((weight) => sign * weight) };
  });
}

/** The loss is its formula's, and its gradient that of its derivatives as weights: both added up, with opposite signs, are nothing. */
export async function assertAsWeights(
  bench: Bench,
  model: EngineModel,
  given: PolicyData,
  loss: Loss,
  what = nameOf(loss),
): Promise<void> {
  const named = await model.forwardBackward(given.data, { loss, logprobs: "none" });
  const expected = given.data.reduce(
    (sum, datum, index) => sum + lossOf(loss, datum, given.logprobs[index] as Float32Array),
    0,
  );
  assertClose(bench, `the loss ${what}`, named.lossSum, expected, bench.lossTolerance(20));
  const norm = await bench.gradientNorm(model);
  assert(norm > 0, `${what} has no gradient`);
  const together = async (sign: number): Promise<number> => {
    await model.forwardBackward(given.data, { loss, logprobs: "none" });
    await model.forwardBackward(weightsOf(given, loss, sign), { loss: crossEntropy, logprobs: "none" });
    return (await bench.gradientNorm(model)) / norm;
  };
  const left = await together(-1);
  const apart = `the gradient of ${what} without that of its derivatives, over its own`;
  assertAtMost(bench, apart, left, bench.derivedTolerance());
  // The control: derivatives of the other sign must not pass.
  const doubled = await together(1);
  assert(
    doubled > 1,
    `the gradient of ${what} with that of its derivatives is only ${doubled} times its own`,
  );
}
