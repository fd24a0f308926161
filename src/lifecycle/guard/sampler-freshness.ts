import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import type { Guard, StepEvidence } from "../../foundation/contract/index.ts";
import type { Finding } from "./finding.ts";

/**
 * A sampler that was just taken must compute what its trainer computes, on probe prompts: a stale or altered one does not.
 * Stops when they differ by more than the engine's own tolerance, before anything is learnt from what was sampled.
 *
 * @example
 * defineRun({ task: reverse(), guard: [samplerFreshness()] });
 */
export function samplerFreshness(options: NoOptions = {}): Guard {
  refuseOptions("samplerFreshness()", options);
  const watch = ({ training }: StepEvidence): Finding => {
    const { freshness, mismatchTolerance: threshold } = training ?? {};
    if (freshness === null || freshness === undefined || threshold === undefined)
      return { answer: "ok", evidence: "nothing was sampled", value: null, threshold: threshold ?? null };
    const evidence = `sampler and trainer differ by ${freshness.toExponential(1)} at most on probe prompts; the tolerance is ${threshold.toExponential(0)}`;
    return { answer: freshness <= threshold ? "ok" : "stop", evidence, value: freshness, threshold };
  };
  return {
    name: "sampler freshness",
    definition: "A sampler just taken computes what its trainer computes.",
    description: {},
    watch,
    watchStep: watch,
  };
}
