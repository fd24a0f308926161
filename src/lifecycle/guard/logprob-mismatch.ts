import type { Guard } from "../../foundation/contract/index.ts";

/**
 * Sampler and trainer must be one model: a token's logprob as it was sampled against the one the trainer computes. Stops
 * when the mean difference is beyond the engine's own tolerance, warns when only the largest is.
 *
 * @example
 * defineRun({ task: reverse(), guard: [logprobMismatch()] });
 */
export function logprobMismatch(): Guard {
  return {
    name: "logprob mismatch",
    definition: "Sampled and recomputed logprobs agree within the engine's tolerance.",
    description: {},
    watch: ({ training }) => {
      const { mismatchMean: mean, mismatchMax: max, mismatchTolerance: threshold } = training ?? {};
      if (mean === null || mean === undefined || max === null || max === undefined || threshold === undefined)
        return { answer: "ok", evidence: "nothing was sampled", value: null, threshold: threshold ?? null };
      const answer = !(mean <= threshold) ? "stop" : !(max <= threshold) ? "warn" : "ok";
      const evidence = `sampled and recomputed logprobs differ by ${mean.toExponential(1)} on average and ${max.toExponential(1)} at most; the tolerance is ${threshold.toExponential(0)}`;
      return { answer, evidence, value: max, threshold };
    },
  };
}
