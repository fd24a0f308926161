import type { Datum, EngineModel, Loss } from "../../../foundation/contract/index.ts";
import { lossOf } from "../reference-loss.ts";
import { assertAsWeights, weightsOf } from "./as-weights.ts";
import { assert, assertAllClose, assertClose, assertMoved } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import type { CheckDefinition } from "./check.ts";
import { lossesOf, nameOf, type PolicyData, policyData } from "./policy-data.ts";

const indices = [0, 1, 2, 3, 4, 5];

export const gradientChecks: readonly CheckDefinition[] = [
  {
    name: "a named loss is cross_entropy weighed by its derivatives",
    fast: true,
    check: async (bench) => {
      const model = await bench.model();
      const given = await policyData(bench, model, indices);
      for (const loss of lossesOf(bench)) await assertAsWeights(bench, model, given, loss);
    },
  },
  {
    name: "a step along the gradient changes the loss as predicted, at two sizes",
    // What was trained elsewhere lies on the numbers that there are in bf16: half of a step that is small enough is rounded away.
    excuse: (_, { trained, precision = "fp32" }) =>
      trained === true && precision !== "fp32" ? "a trained model's small steps are rounded away" : undefined,
    check: async (bench) => {
      const first = await bench.model();
      const given = await policyData(bench, first, indices);
      for (const loss of lossesOf(bench)) {
        const { lossSum } = await first.forwardBackward(given.data, { loss, logprobs: "none" });
        const norm = await bench.gradientNorm(first);
        const { share, most, bend, straight } = kindOf(bench);
        const least = bench.rough
          ? seen * bench.logprobCloseness.mean * sizeOf(weightsOf(given, loss, 1))
          : 0;
        let far = Math.max(share * (1 + Math.abs(lossSum)), least) / norm ** 2;
        const { moved } = await changeAfter(bench, {
          given,
          loss,
          data: given.data,
          by: loss,
          distance: far,
        });
        far *= Math.min(1, most / moved);
        const slope = async (distance: number, data: readonly Datum[], by: Loss): Promise<number> => {
          const { change } = await changeAfter(bench, { given, loss, data, by, distance });
          return change / (-distance * norm ** 2);
        };
        const [whole, half] = [await slope(far, given.data, loss), await slope(far / 2, given.data, loss)];
        const what = `the change of ${nameOf(loss)}, over its prediction,`;
        assertClose(bench, `${what} at a whole step`, whole, 1, bend);
        assertClose(bench, `${what} at half a step`, half, 1, bend / 2 + straight);
        // What is left of the curvature when both are known (Richardson), which is more than twice as rough as they are.
        if (!bench.rough) assertClose(bench, `${what} at no distance`, 2 * half - whole, 1, straight);
        const control = await slope(far, weightsOf(given, loss, -1), crossEntropy);
        assert(
          control < 0,
          `a step against the gradient of ${nameOf(loss)} changes it as one along it: ${control}`,
        );
      }
    },
  },
  {
    name: "a named loss and its derivatives as weights lead to the same policy",
    check: async (bench) => {
      const first = await bench.model();
      const given = await policyData(bench, first, indices);
      for (const loss of lossesOf(bench)) {
        await first.forwardBackward(given.data, { loss, logprobs: "none" });
        const distance = (0.3 * bench.stride) / (await bench.gradientNorm(first));
        await using named = await stepped(bench, given.data, loss, distance);
        await using weighed = await stepped(bench, weightsOf(given, loss, 1), crossEntropy, distance);
        const after = await bench.logprobs(named, given.data);
        const before = given.logprobs.flatMap((values) => Array.from(values));
        assertMoved(`the policy of ${nameOf(loss)}`, after, before, bench.trainedCloseness);
        assertAllClose(
          bench,
          `a logprob after a step of ${nameOf(loss)}`,
          after,
          await bench.logprobs(weighed, given.data),
          bench.trainedCloseness,
        );
      }
    },
  },
];

/**
 * By what share the loss is to change: enough to be seen, and nearly straight. Rounded weights move in steps of their own,
 * about the gradient's and not along it, so that they must go farther, and farther still where logprobs are rounded too. `most`
 * is how far a logprob may move: where all of a gradient is a few tokens' own, they would cross an edge of a clipped loss, the
 * nearest of which is 0.025 away (policyData).
 */
const smooth = { share: 0.01, most: 0.02, bend: 0.15, straight: 0.01 };
const rounded = { share: 0.05, most: Number.POSITIVE_INFINITY, bend: 0.5, straight: 0.4 };
const rough = { share: 0.15, most: Number.POSITIVE_INFINITY, bend: 0.5, straight: 0.5 };
/** Where logprobs are rough, the change is to be so many times what they are off on average. */
const seen = 8;

/** What a loss's derivatives make of logprobs that are off by one each, to random sides. */
const sizeOf = (data: readonly Datum[]): number =>
  Math.hypot(...data.flatMap(({ weights = new Float32Array() }) => Array.from(weights)));

const kindOf = ({ precision, rough: isRough }: Bench): typeof smooth =>
  isRough ? rough : precision === "fp32" ? smooth : rounded;

/** A model that the caller gives back: of one for each step, large ones would not fit. */
async function stepped(
  bench: Bench,
  data: readonly Datum[],
  loss: Loss,
  distance: number,
): Promise<EngineModel> {
  const model = await bench.unheld();
  try {
    await model.forwardBackward(data, { loss, logprobs: "none" });
    await model.optimStep(bench.descent(distance));
    return model;
  } catch (error) {
    await model[Symbol.asyncDispose]();
    throw error;
  }
}

interface Step {
  readonly given: PolicyData;
  /** Whose change is measured. */
  readonly loss: Loss;
  /** What the step is taken on. */
  readonly data: readonly Datum[];
  readonly by: Loss;
  readonly distance: number;
}

/**
 * By how much the step changes the loss, computed from logprobs, with what carries no gradient as it was, and the logprob
 * that it moves farthest.
 */
async function changeAfter(
  bench: Bench,
  { given, loss, data, by, distance }: Step,
): Promise<{ readonly change: number; readonly moved: number }> {
  await using model = await stepped(bench, data, by, distance);
  const { logprobs: after } = await model.forward(bench.unweighted(given.data), {
    loss: crossEntropy,
    logprobs: "all",
  });
  let [change, moved] = [0, 0];
  for (const [index, datum] of given.data.entries()) {
    const [before, now] = [given.logprobs[index] as Float32Array, after[index] as Float32Array];
    change += lossOf(loss, datum, now, before) - lossOf(loss, datum, before);
    for (const [place, logprob] of now.entries())
      moved = Math.max(moved, Math.abs(logprob - (before[place] as number)));
  }
  return { change, moved };
}
