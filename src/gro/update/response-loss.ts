import type { Example } from "../../foundation/contract/index.ts";
import { positionsOf, weightedDatum } from "../rollout/index.ts";
import type { AnalyticLoss, Batch } from "./train.ts";

/** A loss of responses, from the logprobs of each one's own tokens: its value, and its derivative by each of these logprobs. */
export type ResponseLoss = (logprobs: readonly Float32Array[]) => {
  readonly loss: number;
  readonly slopes: readonly ArrayLike<number>[];
};

/** The same loss as the engine's universal path wants it: by position, 0 where the context stands. */
export function byPosition(examples: readonly Example[], loss: ResponseLoss): AnalyticLoss {
  const starts = examples.map((example) => positionsOf(example).start);
  return (logprobs) => {
    const value = loss(logprobs.map((own, index) => own.subarray(starts[index])));
    return {
      loss: value.loss,
      gradients: logprobs.map((own, index) => {
        const gradient = new Float32Array(own.length);
        gradient.set(value.slopes[index] ?? [], starts[index]);
        return gradient;
      }),
    };
  };
}

/** A batch whose loss reads the responses of these examples. `taught` says which of them are trained. */
export function responseBatch(
  examples: readonly Example[],
  loss: ResponseLoss,
  taught: readonly Example[] = examples,
): Batch {
  return {
    data: examples.map((example) => weightedDatum(example, 1)),
    loss: byPosition(examples, loss),
    tokens: taught.reduce((sum, { response }) => sum + response.length, 0),
    examples: taught,
  };
}
