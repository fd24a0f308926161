import type { Loss } from "../../../foundation/contract/index.ts";

/** The losses that a policy gradient can follow: all that the engine names but imitation. */
export type PolicyLoss = Exclude<Loss, { readonly name: "cross_entropy" }>;

/** One response, position by position; every array is as long as the response. */
export interface PolicySequence {
  /** Of the policy that sampled it. */
  readonly behaviour: ArrayLike<number>;
  /** Times what the position weighs. */
  readonly advantages: ArrayLike<number>;
  /** Of the reference policy, and what the position's KL from it weighs. */
  readonly reference?: ArrayLike<number> | undefined;
  readonly penalty?: number | undefined;
}

export interface LossAndSlopes {
  readonly loss: number;
  /** d(loss)/d(logprob) at each position. */
  readonly slopes: Float64Array;
}

/** Of `dro`, as the engine has it. */
export const usualBeta = 0.05;

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

/**
 * A policy's loss on one response and its derivatives, in doubles: the engine's named losses, as its contract writes them
 * ({@link Loss}), and beside them a KL from a reference,
 *
 *   penalty · Σ_t (e^d − 1 − d),   d = log π_ref − log π
 *
 * (k3, arXiv 2402.03300, equation 4), whose derivative by log π is penalty · (1 − e^d). `frozen` are the logprobs at which what carries
 * no gradient is computed, the same as `logprobs` but where a derivative is measured.
 */
export function policyLoss(
  loss: PolicyLoss,
  { behaviour, advantages, reference, penalty = 0 }: PolicySequence,
  logprobs: ArrayLike<number>,
  frozen: ArrayLike<number> = logprobs,
): LossAndSlopes {
  const { length } = logprobs;
  const slopes = new Float64Array(length);
  let sum = 0;
  let drift = 0;
  for (let at = 0; at < length; at++) drift += (frozen[at] as number) - (behaviour[at] as number);
  for (let at = 0; at < length; at++) {
    const logprob = logprobs[at] as number;
    const held = frozen[at] as number;
    const from = behaviour[at] as number;
    const advantage = advantages[at] as number;
    const gain = gainOf(loss, { logprob, held, from, advantage, drift: drift / length });
    sum -= gain.value;
    slopes[at] = -gain.slope;
    if (reference === undefined || penalty === 0) continue;
    const away = (reference[at] as number) - logprob;
    sum += penalty * (Math.expm1(away) - away);
    slopes[at] = (slopes[at] as number) - penalty * Math.expm1(away);
  }
  return { loss: sum, slopes };
}

/** The same loss where a position weighs so much: advantages come with their weight, what else a loss sums gets it here. */
export function weighing(loss: PolicyLoss, weight: number): PolicyLoss {
  return loss.name === "dro" ? { ...loss, beta: (loss.beta ?? usualBeta) * weight } : loss;
}

interface Place {
  readonly logprob: number;
  /** The logprob where it carries no gradient. */
  readonly held: number;
  readonly from: number;
  readonly advantage: number;
  /** Mean over the response of held − from. */
  readonly drift: number;
}

function gainOf(
  loss: PolicyLoss,
  { logprob, held, from, advantage, drift }: Place,
): { readonly value: number; readonly slope: number } {
  switch (loss.name) {
    case "importance_sampling": {
      const value = Math.exp(logprob - from) * advantage;
      return { value, slope: value };
    }
    case "ppo":
    case "gspo": {
      const { clipLow = 0.8, clipHigh = 1.2 } = loss;
      // The sequence's ratio, whose gradient reaches every position (arXiv 2507.18071, equation 14).
      const ratio = Math.exp(loss.name === "ppo" ? logprob - from : drift + logprob - held);
      const free = ratio * advantage;
      const bound = clamp(ratio, clipLow, clipHigh) * advantage;
      return bound < free ? { value: bound, slope: 0 } : { value: free, slope: free };
    }
    case "cispo": {
      const { clipLow = 0, clipHigh = 4 } = loss;
      const weight = clamp(Math.exp(held - from), clipLow, clipHigh) * advantage;
      return { value: weight * logprob, slope: weight };
    }
    case "dro": {
      const { beta = usualBeta } = loss;
      const away = logprob - from;
      return { value: advantage * logprob - 0.5 * beta * away * away, slope: advantage - beta * away };
    }
  }
}
