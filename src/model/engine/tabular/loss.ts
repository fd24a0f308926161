import type { Datum, Loss } from "../../../foundation/contract/index.ts";
import { countedBy, requiredArray } from "../datum.ts";
import { engineError } from "../engine-error.ts";
import { checkNumbers } from "./limits.ts";

export const losses = ["cross_entropy", "importance_sampling", "ppo"] as const;

/** A loss at the positions of one datum. */
export interface LossTerms {
  counts(position: number): boolean;
  /** The loss, and its derivative with respect to the target's logprob. */
  at(position: number, logprob: number): readonly [loss: number, derivative: number];
}

/**
 * The losses of the contract, sums over positions: cross_entropy −w·logp; importance_sampling −mask·ρA;
 * ppo −mask·min(ρA, clip(ρ)A), ρ = exp(logp − behaviour logp) (arXiv 1707.06347, equation 7). Throws `bad-request`.
 */
export function termsOf(loss: Loss, datum: Datum, index: number): LossTerms {
  if (!isKnown(loss)) throw engineError("bad-request", `There is no loss "${loss.name}".`);
  if (loss.name === "cross_entropy") {
    const weights = requiredArray(datum, index, "weights", loss);
    return {
      counts: (position) => weights[position] !== 0,
      at: (position, logprob) => {
        const weight = weights[position] as number;
        return [-weight * logprob, -weight];
      },
    };
  }
  const advantages = requiredArray(datum, index, "advantages", loss);
  const behaviour = requiredArray(datum, index, "logprobs", loss);
  const mask = countedBy(datum, loss) === undefined ? undefined : requiredArray(datum, index, "mask", loss);
  const [low, high] = loss.name === "ppo" ? clipsOf(loss) : [0, Number.POSITIVE_INFINITY];
  return {
    counts: (position) => mask?.[position] !== 0,
    at: (position, logprob) => {
      const advantage = advantages[position] as number;
      const ratio = Math.exp(logprob - (behaviour[position] as number));
      const gain = ratio * advantage;
      const clipped = Math.min(Math.max(ratio, low), high) * advantage;
      const weight = mask?.[position] ?? 1;
      // Where the clipped gain is the smaller one it is constant, and its derivative 0.
      return clipped < gain ? [-weight * clipped, 0] : [-weight * gain, -weight * gain];
    },
  };
}

type KnownLoss = { readonly name: (typeof losses)[number] } & Loss;

function isKnown(loss: Loss): loss is KnownLoss {
  return losses.some((name) => name === loss.name);
}

function clipsOf({
  clipLow = 0.8,
  clipHigh = 1.2,
}: Extract<KnownLoss, { name: "ppo" }>): [low: number, high: number] {
  checkNumbers({ clipLow, clipHigh });
  if (clipLow > clipHigh) throw engineError("bad-request", "clipLow must not be above clipHigh.");
  return [clipLow, clipHigh];
}
