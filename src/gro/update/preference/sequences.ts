import type { Example } from "../../../foundation/contract/index.ts";
import { sumOf } from "../reference.ts";
import { type ResponseLoss, responseBatch } from "../response-loss.ts";
import type { Batch } from "../train.ts";

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
  return responseBatch(examples, byToken(loss), taught);
}

function byToken(loss: SequenceLoss): ResponseLoss {
  return (logprobs) => {
    const value = loss(logprobs.map((own) => sumOf(own)));
    return {
      loss: value.loss,
      slopes: logprobs.map(({ length }, index) => new Float64Array(length).fill(value.slopes[index] ?? 0)),
    };
  };
}
