export { type ListedMethod, methods } from "./catalogue.ts";
export { type QuietStarOptions, quietStar } from "./methods/beyond/quiet-star.ts";
export { type SealOptions, seal } from "./methods/beyond/seal.ts";
export { type CispoOptions, cispo } from "./methods/reinforcement/cispo.ts";
export { type DapoOptions, dapo } from "./methods/reinforcement/dapo.ts";
export { type DpoOptions, dpo } from "./methods/reinforcement/dpo.ts";
export { type DrGrpoOptions, drGrpo } from "./methods/reinforcement/dr-grpo.ts";
export { type EmpoOptions, empo } from "./methods/reinforcement/empo.ts";
export { type GrpoOptions, grpo } from "./methods/reinforcement/grpo.ts";
export { type GspoOptions, gspo } from "./methods/reinforcement/gspo.ts";
export { type IntuitorOptions, intuitor } from "./methods/reinforcement/intuitor.ts";
export { type KtoOptions, kto } from "./methods/reinforcement/kto.ts";
export { type PpoOptions, ppo } from "./methods/reinforcement/ppo.ts";
export {
  type ReinforcePlusPlusOptions,
  reinforcePlusPlus,
} from "./methods/reinforcement/reinforce-plus-plus.ts";
export { type RentOptions, rent } from "./methods/reinforcement/rent.ts";
export { type RlooOptions, rloo } from "./methods/reinforcement/rloo.ts";
export { type TtrlOptions, ttrl } from "./methods/reinforcement/ttrl.ts";
export { type ExpertIterationOptions, expertIteration } from "./methods/rejection/expert-iteration.ts";
export { type LmsiOptions, lmsi } from "./methods/rejection/lmsi.ts";
export { type ReGenesisOptions, reGenesis } from "./methods/rejection/regenesis.ts";
export { type RejectionSamplingOptions, rejectionSampling } from "./methods/rejection/rejection-sampling.ts";
export { type RestEmOptions, restEm } from "./methods/rejection/rest-em.ts";
export { type RftOptions, rft } from "./methods/rejection/rft.ts";
export { type RlcOptions, rlc } from "./methods/rejection/rlc.ts";
export {
  type SelfImprovingTransformersOptions,
  selfImprovingTransformers,
} from "./methods/rejection/self-improving-transformers.ts";
export { type SimRagOptions, simRag } from "./methods/rejection/simrag.ts";
export { type StarOptions, star } from "./methods/rejection/star.ts";
export { type VStarOptions, vStar } from "./methods/rejection/v-star.ts";
export { type AbsoluteZeroOptions, absoluteZero } from "./methods/self-play/absolute-zero.ts";
export { type DrZeroOptions, drZero } from "./methods/self-play/dr-zero.ts";
export { type DteOptions, dte } from "./methods/self-play/dte.ts";
export {
  type MultiagentFinetuningOptions,
  multiagentFinetuning,
} from "./methods/self-play/multiagent-finetuning.ts";
export { type RZeroOptions, rZero } from "./methods/self-play/r-zero.ts";
export { type SerlOptions, serl } from "./methods/self-play/serl.ts";
export { type SiriusOptions, sirius } from "./methods/self-play/sirius.ts";
export { type SpiceOptions, spice } from "./methods/self-play/spice.ts";
export { type SpinOptions, spin } from "./methods/self-play/spin.ts";
export { type SppoOptions, sppo } from "./methods/self-play/sppo.ts";
export {
  type SupervisedFineTuningOptions,
  supervisedFineTuning,
} from "./methods/supervised/supervised-fine-tuning.ts";
export { type IterativeRpoOptions, iterativeRpo } from "./methods/verification/iterative-rpo.ts";
export { type MetaRewardingOptions, metaRewarding } from "./methods/verification/meta-rewarding.ts";
export { type RiseOptions, rise } from "./methods/verification/rise.ts";
export { type ScoreMethodOptions, score } from "./methods/verification/score.ts";
export { type ScpoOptions, scpo } from "./methods/verification/scpo.ts";
export { type SelfOptions, self } from "./methods/verification/self.ts";
export { type SelfRewardingOptions, selfRewarding } from "./methods/verification/self-rewarding.ts";
export type { MethodPage, Paradigm } from "./page.ts";
