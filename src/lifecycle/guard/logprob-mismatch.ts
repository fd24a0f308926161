import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import type { Guard, StepEvidence } from "../../foundation/contract/index.ts";
import type { Finding } from "./finding.ts";

/**
 * Sampler and trainer must be one model: a token's logprob as it was sampled against the one the trainer computes. Stops
 * when the mean difference is beyond what the engine allows in the run's precision, warns when only the largest is. Nothing is
 * learnt then from what was sampled.
 *
 * @example
 * defineRun({ task: reverse(), guard: [logprobMismatch()] });
 */
export function logprobMismatch(options: NoOptions = {}): Guard {
  refuseOptions("logprobMismatch()", options);
  const watch = ({ training }: StepEvidence): Finding => {
    const { mismatchMean: mean = null, mismatchMax: max = null } = training ?? {};
    const threshold = training?.mismatchTolerance ?? null;
    // Evidence that an earlier version stored has one tolerance for both.
    const meanThreshold = training?.mismatchMeanTolerance ?? threshold;
    if (mean === null || max === null || threshold === null || meanThreshold === null)
      return { answer: "ok", evidence: "nothing was sampled", value: null, threshold };
    const answer = !(mean <= meanThreshold) ? "stop" : !(max <= threshold) ? "warn" : "ok";
    const allowed = [meanThreshold, threshold].map((one) => one.toExponential(0));
    const evidence = `sampled and recomputed logprobs differ by ${mean.toExponential(1)} on average and ${max.toExponential(1)} at most; ${allowed[0] === allowed[1] ? `the tolerance is ${allowed[0]}` : `${allowed.join(" and ")} are allowed`}`;
    return { answer, evidence, value: max, threshold };
  };
  return {
    name: "logprob mismatch",
    definition: "Sampled and recomputed logprobs agree within the engine's tolerance.",
    description: {},
    watch,
    watchStep: watch,
  };
}
