import type { Datum, Example, Loss, OptimizerStep, Policy } from "../../foundation/contract/index.ts";
import { isReal } from "../rollout/index.ts";
import { type StepLoss, stepLoss } from "./loss.ts";
import type { UpdateOutcome, UpdateRequest } from "./part.ts";

/**
 * A loss that has no name in the engine, from the logprobs of every datum's targets (a number a position, NaN nowhere): its value, and
 * d(loss)/d(logprob) at each position, 0 where a position does not count. The engine applies it as `cross_entropy` with weights of
 * the opposite sign, whose derivative is just that (the universal path, design §5).
 */
export type AnalyticLoss = (logprobs: readonly Float32Array[]) => {
  readonly loss: number;
  readonly gradients: readonly Float32Array[];
};

/** Its weights or advantages are divided by its tokens, so that the sum of its loss is a mean per trained token. */
export interface Batch {
  readonly data: readonly Datum[];
  /** By name where the engine has one; a function costs a forward pass more. */
  readonly loss: Loss | AnalyticLoss;
  /** Positions that are trained: the responses of the examples. */
  readonly tokens: number;
  /** What the data are made of. */
  readonly examples: readonly Example[];
}

export interface TrainRequest extends Pick<UpdateRequest, "onProgress"> {
  readonly policy: Policy;
  readonly from: number;
  readonly to: number;
  /** The batch of an optimiser step; undefined when there is nothing to learn from, and then no step is made. */
  readonly batchAt: (step: number) => Batch | undefined | Promise<Batch | undefined>;
  readonly learningRateAt: (step: number) => number;
  /** The largest norm of a step's whole gradient; 0 clips nothing. Default {@link usualClipNorm}. */
  readonly gradientClipNorm?: number;
  readonly signal?: AbortSignal;
}

export const usualClipNorm = 1;

/** What a part's description says of it: the usual one goes without saying, as in runs that were stored before it could be set. */
export const clipOf = (gradientClipNorm: number): { readonly gradientClipNorm?: number } =>
  gradientClipNorm === usualClipNorm ? {} : { gradientClipNorm };

/** AdamW as reference training of small decoders uses it. */
const optimizer: Omit<OptimizerStep, "learningRate"> = {
  optimizer: "adamw",
  beta1: 0.9,
  beta2: 0.98,
  epsilon: 1e-8,
  weightDecay: 0.01,
};

/** Steps that may wait at the engine, so that it never waits for the next batch. */
const stepsInFlight = 8;

/** Trained tokens that no model wrote. */
function realTokens(examples: readonly Example[]): number {
  return examples.reduce((sum, example) => sum + (isReal(example) ? example.response.length : 0), 0);
}

/** Positions that a pass over the data computes. */
function positionsIn(data: readonly Datum[]): number {
  return data.reduce((sum, { tokens }) => sum + tokens.length, 0);
}

/** Optimiser steps [from, to), pipelined. The order of calls is the order in which they are applied. */
export async function trainBatches(request: TrainRequest): Promise<UpdateOutcome> {
  const { policy, from, to, batchAt, learningRateAt, gradientClipNorm = usualClipNorm } = request;
  const { signal, onProgress } = request;
  const uses = new Map<Example, number>();
  const outcome = { tokensTrained: 0, realTokens: 0, positionsTrained: 0, losses: [] as StepLoss[], uses };
  // Whoever is asked to end waits for none of the steps that are in flight: what they make of the weights is never saved.
  const waiting = signal ? { signal } : {};
  const flight: Promise<void>[] = [];
  let made = 0;
  for (let step = from; step < to; step++) {
    signal?.throwIfAborted();
    const batch = await batchAt(step);
    if (batch === undefined) continue;
    const forward =
      typeof batch.loss === "function"
        ? (await byDerivative(policy, batch.data, batch.loss, waiting)).applied
        : policy.model.forwardBackward(batch.data, { loss: batch.loss, logprobs: "none", ...waiting });
    const applied = policy.model.optimStep({
      ...optimizer,
      learningRate: learningRateAt(step),
      gradientClipNorm,
      ...waiting,
    });
    const place = made++;
    for (const example of batch.examples) uses.set(example, (uses.get(example) ?? 0) + 1);
    const done = Promise.all([forward, applied]).then(([{ lossSum }]) => {
      const loss = stepLoss(lossSum);
      outcome.tokensTrained += batch.tokens;
      outcome.realTokens += realTokens(batch.examples);
      outcome.positionsTrained += positionsIn(batch.data);
      outcome.losses[place] = loss;
      onProgress?.(step + 1, loss);
    });
    done.catch(() => {});
    flight.push(done);
    if (flight.length >= stepsInFlight) await flight.shift();
  }
  await Promise.all(flight);
  return outcome;
}

/** The gradient of an analytic loss, on its way to the model; it tells the loss's own value, as that of a named one does. */
async function byDerivative(
  { model }: Policy,
  data: readonly Datum[],
  loss: AnalyticLoss,
  waiting: { readonly signal?: AbortSignal },
): Promise<{ readonly applied: Promise<{ readonly lossSum: number }> }> {
  // Logprobs are all that is asked for, and there are none without a weight.
  const bare = data.map(
    ({ tokens, targets }): Datum => ({ tokens, targets, weights: new Float32Array(tokens.length).fill(1) }),
  );
  const { logprobs } = await model.forward(bare, { loss: crossEntropy, logprobs: "all", ...waiting });
  const { loss: lossSum, gradients } = loss(logprobs);
  const weighted = data.map((datum, index): Datum => {
    const { tokens, targets } = datum;
    return {
      tokens,
      targets,
      weights: (gradients[index] ?? new Float32Array(tokens.length)).map((slope) => -slope),
    };
  });
  const backward = model.forwardBackward(weighted, { loss: crossEntropy, logprobs: "none", ...waiting });
  return { applied: backward.then(() => ({ lossSum })) };
}

const crossEntropy: Loss = { name: "cross_entropy" };
