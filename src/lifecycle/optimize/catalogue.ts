import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import { relativeCost } from "./cost.ts";
import { type Defaults, defaultsOf } from "./defaults.ts";
import { quietStarPage } from "./methods/beyond/quiet-star.ts";
import { sealPage } from "./methods/beyond/seal.ts";
import { cispoPage } from "./methods/reinforcement/cispo.ts";
import { dapoPage } from "./methods/reinforcement/dapo.ts";
import { dpoPage } from "./methods/reinforcement/dpo.ts";
import { drGrpoPage } from "./methods/reinforcement/dr-grpo.ts";
import { empoPage } from "./methods/reinforcement/empo.ts";
import { grpoPage } from "./methods/reinforcement/grpo.ts";
import { gspoPage } from "./methods/reinforcement/gspo.ts";
import { intuitorPage } from "./methods/reinforcement/intuitor.ts";
import { ktoPage } from "./methods/reinforcement/kto.ts";
import { ppoPage } from "./methods/reinforcement/ppo.ts";
import { reinforcePlusPlusPage } from "./methods/reinforcement/reinforce-plus-plus.ts";
import { rentPage } from "./methods/reinforcement/rent.ts";
import { rlooPage } from "./methods/reinforcement/rloo.ts";
import { ttrlPage } from "./methods/reinforcement/ttrl.ts";
import { expertIterationPage } from "./methods/rejection/expert-iteration.ts";
import { lmsiPage } from "./methods/rejection/lmsi.ts";
import { reGenesisPage } from "./methods/rejection/regenesis.ts";
import { rejectionSamplingPage } from "./methods/rejection/rejection-sampling.ts";
import { restEmPage } from "./methods/rejection/rest-em.ts";
import { rftPage } from "./methods/rejection/rft.ts";
import { rlcPage } from "./methods/rejection/rlc.ts";
import { selfImprovingTransformersPage } from "./methods/rejection/self-improving-transformers.ts";
import { simRagPage } from "./methods/rejection/simrag.ts";
import { starPage } from "./methods/rejection/star.ts";
import { vStarPage } from "./methods/rejection/v-star.ts";
import { absoluteZeroPage } from "./methods/self-play/absolute-zero.ts";
import { drZeroPage } from "./methods/self-play/dr-zero.ts";
import { dtePage } from "./methods/self-play/dte.ts";
import { multiagentFinetuningPage } from "./methods/self-play/multiagent-finetuning.ts";
import { rZeroPage } from "./methods/self-play/r-zero.ts";
import { serlPage } from "./methods/self-play/serl.ts";
import { siriusPage } from "./methods/self-play/sirius.ts";
import { spicePage } from "./methods/self-play/spice.ts";
import { spinPage } from "./methods/self-play/spin.ts";
import { sppoPage } from "./methods/self-play/sppo.ts";
import { supervisedFineTuningPage } from "./methods/supervised/supervised-fine-tuning.ts";
import { iterativeRpoPage } from "./methods/verification/iterative-rpo.ts";
import { metaRewardingPage } from "./methods/verification/meta-rewarding.ts";
import { risePage } from "./methods/verification/rise.ts";
import { scorePage } from "./methods/verification/score.ts";
import { scpoPage } from "./methods/verification/scpo.ts";
import { selfPage } from "./methods/verification/self.ts";
import { selfRewardingPage } from "./methods/verification/self-rewarding.ts";
import type { MethodPage } from "./page.ts";

const pages: readonly MethodPage[] = [
  supervisedFineTuningPage,
  rejectionSamplingPage,
  starPage,
  restEmPage,
  rftPage,
  lmsiPage,
  rlcPage,
  vStarPage,
  reGenesisPage,
  simRagPage,
  expertIterationPage,
  selfImprovingTransformersPage,
  grpoPage,
  drGrpoPage,
  dapoPage,
  rlooPage,
  reinforcePlusPlusPage,
  gspoPage,
  cispoPage,
  ppoPage,
  ttrlPage,
  intuitorPage,
  empoPage,
  rentPage,
  selfPage,
  selfRewardingPage,
  metaRewardingPage,
  risePage,
  iterativeRpoPage,
  scpoPage,
  scorePage,
  spinPage,
  sppoPage,
  multiagentFinetuningPage,
  siriusPage,
  dtePage,
  rZeroPage,
  serlPage,
  absoluteZeroPage,
  spicePage,
  drZeroPage,
  dpoPage,
  ktoPage,
  sealPage,
  quietStarPage,
];

/** A method's page, with its options as they are by default, and what a round costs as a multiple of a round of `rejectionSampling()`. */
export interface ListedMethod extends MethodPage {
  readonly defaults: Defaults;
  readonly cost: number;
}

/**
 * Every method from a paper, by paradigm, each with its page: what it does, its formula and source, and how to make it.
 *
 * @example
 * const [cheapest] = [...methods()].sort((one, other) => one.cost - other.cost);
 */
export function methods(options: NoOptions = {}): readonly ListedMethod[] {
  refuseOptions("methods()", options);
  return pages.map((page) => ({
    ...page,
    defaults: defaultsOf(page.options),
    cost: Number(relativeCost(page.make()).toPrecision(2)),
  }));
}
