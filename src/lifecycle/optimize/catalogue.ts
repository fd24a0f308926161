import { grpoPage } from "./methods/reinforcement/grpo.ts";
import { rejectionSamplingPage } from "./methods/rejection/rejection-sampling.ts";
import { starPage } from "./methods/rejection/star.ts";
import { supervisedFineTuningPage } from "./methods/supervised/supervised-fine-tuning.ts";
import type { MethodPage } from "./page.ts";

/** Every method, by paradigm. */
export const methodPages: readonly MethodPage[] = [
  rejectionSamplingPage,
  starPage,
  grpoPage,
  supervisedFineTuningPage,
];
