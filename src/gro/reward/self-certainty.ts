import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import type { RewardPart } from "./part.ts";
import { scoreByCertainty } from "./response-certainty.ts";

/**
 * How sure the model is of what it wrote: the mean over the tokens o_t of a response of
 *
 *   KL(U ‖ p(· | x, o_<t)) = −log V − (1/V) Σ_v log p(v | x, o_<t)
 *
 * in nats, V tokens in the vocabulary (Intuitor, arXiv 2505.19590, equation 2; self-certainty of arXiv 2502.18581). It is no judgement of
 * truth: what the model is sure of and wrong about is rewarded as well. Needs an engine that tells the certainty of positions.
 *
 * @example
 * gro({ generate: samples({ samples: 8 }), reward: selfCertainty(), update: policyGradient() })
 */
export function selfCertainty(options: NoOptions = {}): RewardPart {
  refuseOptions("selfCertainty()", options);
  return {
    name: "self-certainty",
    description: {},
    origin: "self-derived",
    peers: 1,
    needs: { extensions: ["certainty"] },
    reward: (groups, context) => scoreByCertainty(groups, (certainty) => certainty.selfCertainty, context),
  };
}
