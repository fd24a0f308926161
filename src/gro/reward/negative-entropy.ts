import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import type { RewardPart } from "./part.ts";
import { scoreByCertainty } from "./response-certainty.ts";

/**
 * Minus the mean entropy of the distributions that the tokens of a response were drawn from (RENT, arXiv 2505.22660, section 3.2):
 *
 *   r = −(1/|o|) Σ_t H(p(· | x, o_<t)),   H(p) = −Σ_v p(v) log p(v)
 *
 * in nats: 0 for a response of which every token was certain, less for others. Needs an engine that tells the certainty of positions.
 *
 * @example
 * gro({ generate: samples({ samples: 8 }), reward: negativeEntropy(), update: policyGradient() })
 */
export function negativeEntropy(options: NoOptions = {}): RewardPart {
  refuseOptions("negativeEntropy()", options);
  return {
    name: "negative entropy",
    description: {},
    origin: "self-derived",
    peers: 1,
    needs: { extensions: ["certainty"] },
    reward: (groups, context) =>
      scoreByCertainty(groups, (certainty) => certainty.entropy.map((one) => -one), context),
  };
}
