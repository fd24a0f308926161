import { grpoPage } from "./methods/reinforcement/grpo.ts";
import { expertIterationPage } from "./methods/rejection/expert-iteration.ts";
import { lmsiPage } from "./methods/rejection/lmsi.ts";
import { rejectionSamplingPage } from "./methods/rejection/rejection-sampling.ts";
import { restEmPage } from "./methods/rejection/rest-em.ts";
import { rftPage } from "./methods/rejection/rft.ts";
import { selfImprovingTransformersPage } from "./methods/rejection/self-improving-transformers.ts";
import { starPage } from "./methods/rejection/star.ts";
import { dtePage } from "./methods/self-play/dte.ts";
import { multiagentFinetuningPage } from "./methods/self-play/multiagent-finetuning.ts";
import { rZeroPage } from "./methods/self-play/r-zero.ts";
import { supervisedFineTuningPage } from "./methods/supervised/supervised-fine-tuning.ts";
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
  grpoPage,
  multiagentFinetuningPage,
  dtePage,
  rZeroPage,
];
