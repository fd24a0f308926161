import { dpoPage } from "./methods/reinforcement/dpo.ts";
import { grpoPage } from "./methods/reinforcement/grpo.ts";
import { ktoPage } from "./methods/reinforcement/kto.ts";
import { expertIterationPage } from "./methods/rejection/expert-iteration.ts";
import { lmsiPage } from "./methods/rejection/lmsi.ts";
import { rejectionSamplingPage } from "./methods/rejection/rejection-sampling.ts";
import { restEmPage } from "./methods/rejection/rest-em.ts";
import { rftPage } from "./methods/rejection/rft.ts";
import { selfImprovingTransformersPage } from "./methods/rejection/self-improving-transformers.ts";
import { starPage } from "./methods/rejection/star.ts";
import { absoluteZeroPage } from "./methods/self-play/absolute-zero.ts";
import { dtePage } from "./methods/self-play/dte.ts";
import { multiagentFinetuningPage } from "./methods/self-play/multiagent-finetuning.ts";
import { rZeroPage } from "./methods/self-play/r-zero.ts";
import { serlPage } from "./methods/self-play/serl.ts";
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

/** Every method, by paradigm. */
export const methodPages: readonly MethodPage[] = [
  supervisedFineTuningPage,
  rejectionSamplingPage,
  starPage,
  restEmPage,
  rftPage,
  lmsiPage,
  expertIterationPage,
  selfImprovingTransformersPage,
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
  dtePage,
  rZeroPage,
  serlPage,
  absoluteZeroPage,
  grpoPage,
  dpoPage,
  ktoPage,
];
