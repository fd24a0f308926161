import type { Datum, Loss } from "../../foundation/contract/index.ts";

/**
 * The losses of the contract in plain words, to compare engines with: the loss of one datum whose targets have these
 * logprobs. What carries no gradient in a loss is computed from `frozen` instead, so that the derivative of the result with
 * respect to `logprobs`, at `frozen`, is the contract's.
 */
export function lossOf(
  loss: Loss,
  datum: Datum,
  logprobs: ArrayLike<number>,
  frozen: ArrayLike<number> = logprobs,
): number {
  let sum = 0;
  for (let at = 0; at < logprobs.length; at++) sum += lossAt(loss, datum, at, logprobs[at] as number, frozen);
  return sum;
}

function lossAt(loss: Loss, datum: Datum, at: number, logprob: number, frozen: ArrayLike<number>): number {
  if (loss.name === "cross_entropy") {
    const weight = datum.weights?.[at] as number;
    return weight === 0 ? 0 : -weight * logprob;
  }
  const mask = datum.mask?.[at] ?? 1;
  if (mask === 0) return 0;
  const advantage = datum.advantages?.[at] as number;
  const behaviour = datum.logprobs?.[at] as number;
  const ratio = Math.exp(logprob - behaviour);
  const clipped = (value: number, low: number, high: number): number =>
    Math.min(Math.max(value, datum.clipLow?.[at] ?? low), datum.clipHigh?.[at] ?? high);
  switch (loss.name) {
    case "importance_sampling":
      return -mask * ratio * advantage;
    case "ppo": {
      const { clipLow = 0.8, clipHigh = 1.2 } = loss;
      return -mask * Math.min(ratio * advantage, clipped(ratio, clipLow, clipHigh) * advantage);
    }
    case "cispo": {
      const { clipLow = 0, clipHigh = 4 } = loss;
      const weight = clipped(Math.exp((frozen[at] as number) - behaviour), clipLow, clipHigh);
      return -mask * weight * advantage * logprob;
    }
    case "dro": {
      const { beta = 0.05 } = loss;
      return -mask * (advantage * logprob - 0.5 * beta * (logprob - behaviour) ** 2);
    }
    case "gspo": {
      const { clipLow = 0.8, clipHigh = 1.2 } = loss;
      const own = sequenceRatio(datum, frozen) * Math.exp(logprob - (frozen[at] as number));
      return -mask * Math.min(own * advantage, clipped(own, clipLow, clipHigh) * advantage);
    }
  }
}

function sequenceRatio(datum: Datum, logprobs: ArrayLike<number>): number {
  let [sum, whole] = [0, 0];
  for (let at = 0; at < logprobs.length; at++) {
    const mask = datum.mask?.[at] ?? 1;
    if (mask === 0) continue;
    sum += mask * ((logprobs[at] as number) - (datum.logprobs?.[at] as number));
    whole += mask;
  }
  return Math.exp(sum / whole);
}

const by = 1e-6;

/** d(loss)/d(logprob) at each position, by central differences; not where a clip's edge is nearer than 1e-6. */
export function derivativesOf(loss: Loss, datum: Datum, logprobs: ArrayLike<number>): number[] {
  return Array.from(logprobs, (logprob, at) => {
    const side = (sign: number) => lossAt(loss, datum, at, logprob + sign * by, logprobs);
    return (side(1) - side(-1)) / (2 * by);
  });
}

/** The datum that gives cross_entropy the same gradient as the loss has: any loss is a signed weight a position. */
export function asWeights(loss: Loss, datum: Datum, logprobs: ArrayLike<number>): Datum {
  const { tokens, targets } = datum;
  return {
    tokens,
    targets,
    weights: Float32Array.from(derivativesOf(loss, datum, logprobs), (derivative) => -derivative),
  };
}
