import type { Example } from "../../../foundation/contract/index.ts";
import { positionsOf, weightedDatum } from "../../rollout/index.ts";
import type { AnalyticLoss, Batch } from "../train.ts";
import { sumOf } from "./reference.ts";

/**
 * A loss of whole responses: from log π(y|x) of each, its value and its derivative by each. By the chain rule that is also its
 * derivative by the logprob of each of the response's tokens, whose sum log π(y|x) is.
 */
export type SequenceLoss = (logprobs: readonly number[]) => {
  readonly loss: number;
  readonly slopes: readonly number[];
};

/** A batch whose loss reads the responses of these examples, each of which is computed once. `taught` says which of them are trained. */
export function sequenceBatch(
  examples: readonly Example[],
  loss: SequenceLoss,
  taught: readonly Example[] = examples,
): Batch {
  return {
    data: examples.map((example) => weightedDatum(example, 1)),
    loss: byToken(examples, loss),
    tokens: taught.reduce((sum, { response }) => sum + response.length, 0),
    examples: taught,
  };
}

/** The same loss as the engine's universal path wants it: by position. */
export function byToken(examples: readonly Example[], loss: SequenceLoss): AnalyticLoss {
  const starts = examples.map((example) => positionsOf(example).start);
  return (logprobs) => {
    const value = loss(logprobs.map((own, index) => sumOf(own, starts[index])));
    return {
      loss: value.loss,
      gradients: logprobs.map((own, index) =>
        new Float32Array(own.length).fill(value.slopes[index] ?? 0, starts[index]),
      ),
    };
  };
}
