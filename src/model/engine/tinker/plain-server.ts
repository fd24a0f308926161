import type { EngineCapabilities, Tolerance } from "../../../foundation/contract/index.ts";
import { lossNames } from "./losses.ts";

const exact: Tolerance = { logprob: 2e-4, meanLogprob: 2e-4, gradient: 2e-4 };
const rough: Tolerance = { logprob: 1, meanLogprob: 0.1, gradient: 0.05 };

/** What any server of the API is taken to be able to do, where it does not say. */
export const plainServer: Omit<EngineCapabilities, "engine"> = {
  device: "remote",
  losses: lossNames,
  optimizers: ["adamw"],
  precisions: ["fp32", "mixed", "bf16"],
  architectures: [],
  stopStrings: true,
  topK: true,
  loraRank: 128,
  gradientCheckpointing: false,
  topLogprobs: 20,
  extensions: [],
  untested: [
    "what this server can do: it does not say",
    "its precision: it computes in one of its own, and the one that is asked for says only how near numbers must lie",
  ],
  workers: 1,
  tolerance: { fp32: exact, mixed: rough, bf16: rough },
};
