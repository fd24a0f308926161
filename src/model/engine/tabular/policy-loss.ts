import type { Datum, Loss, LossName } from "../../../foundation/contract/index.ts";

interface Place {
  readonly logprob: number;
  /** Of the policy that sampled the token. */
  readonly behaviour: number;
  /** Of the probabilities now and then: the position's own, or the sequence's. */
  readonly ratio: number;
  readonly advantage: number;
  readonly position: number;
}

/** The gain at a position, and its derivative with respect to the logprob: a loss is their sum, negated. */
export type PolicyTerm = (place: Place) => readonly [gain: number, derivative: number];

type Bounds = Pick<Datum, "clipLow" | "clipHigh">;
type PolicyLossName = Exclude<LossName, "cross_entropy">;
type Options = Exclude<Loss, { readonly name: "cross_entropy" }>;

/** Bounds at a position: the datum's, else the loss's, else those that its papers have. */
function bounds(loss: Options, own: Bounds, low: number, high: number) {
  const { clipLow = low, clipHigh = high } = loss as Extract<Options, { readonly name: "ppo" }>;
  return (position: number): readonly [low: number, high: number] => [
    own.clipLow?.[position] ?? clipLow,
    own.clipHigh?.[position] ?? clipHigh,
  ];
}

const clip = (ratio: number, [low, high]: readonly [number, number]): number =>
  Math.min(Math.max(ratio, low), high);

/** arXiv 1707.06347, equation 7. */
function clipped(loss: Options, own: Bounds): PolicyTerm {
  const boundsAt = bounds(loss, own, 0.8, 1.2);
  return ({ ratio, advantage, position }) => {
    const [low, high] = boundsAt(position);
    // However far beyond all numbers the ratio is, what is clipped from above is one.
    if (ratio > high && advantage >= 0) return [high * advantage, 0];
    const gain = ratio * advantage;
    const most = clip(ratio, [low, high]) * advantage;
    // Where the clipped gain is the smaller one it is constant, and its derivative 0.
    return most < gain ? [most, 0] : [gain, gain];
  };
}

export const policyTerms: Record<PolicyLossName, (loss: Options, own: Bounds) => PolicyTerm> = {
  importance_sampling:
    () =>
    ({ ratio, advantage }) => [ratio * advantage, ratio * advantage],
  ppo: clipped,
  /** The same in the sequence's ratio: at each position its derivative is itself (arXiv 2507.18071, equation 14). */
  gspo: clipped,
  /** arXiv 2506.13585, equation 4: the weight is clipped, and no position is left out. */
  cispo: (loss, own) => {
    const boundsAt = bounds(loss, own, 0, 4);
    return ({ logprob, ratio, advantage, position }) => {
      const weight = clip(ratio, boundsAt(position)) * advantage;
      return [weight * logprob, weight];
    };
  },
  /** arXiv 2405.19107: a quadratic penalty in the place of the ratio. */
  dro: (loss) => {
    const { beta = 0.05 } = loss as Extract<Options, { readonly name: "dro" }>;
    return ({ logprob, behaviour, advantage }) => {
      const away = logprob - behaviour;
      return [advantage * logprob - 0.5 * beta * away * away, advantage - beta * away];
    };
  },
};
