import { z } from "zod";
import type { EngineNeeds } from "../../foundation/contract/index.ts";
import type { OptimizerStateChoice, Remedies } from "./part.ts";
import { warmupStableDecay } from "./schedule.ts";
import { clipOf, usualClipNorm } from "./train.ts";

/** What every update can be told of its optimiser steps. */
export interface StepOptions {
  readonly learningRate: number;
  readonly optimizerState: OptimizerStateChoice;
  readonly gradientClipNorm: number;
}

/** The largest norm of a step's gradient; 0 clips nothing, for servers that cannot. */
export const clipNormOption = z.number().min(0).default(usualClipNorm);

/** The options of an update whose learning rate is this if left out. */
export const stepOptions = (learningRate: number) => ({
  /** Of each step; the peak, where it rises and falls. */
  learningRate: z.number().positive().default(learningRate),
  /** `own`: the moments of these steps alone; those of a preparation, another objective's, are left behind. */
  optimizerState: z.enum(["own", "continued", "fresh"]).default("own"),
  /** The largest norm of a step's gradient; 0 clips nothing, for servers that cannot. */
  gradientClipNorm: clipNormOption,
});

/** As a part's description tells of them. */
export function describeSteps({ learningRate, optimizerState, gradientClipNorm }: StepOptions) {
  return { learningRate, optimizerState, ...clipOf(gradientClipNorm) };
}

/** What they ask of an engine. */
export function needsOfSteps({
  optimizerState,
  gradientClipNorm,
}: Pick<StepOptions, "optimizerState" | "gradientClipNorm">): EngineNeeds {
  return { gradientClipping: gradientClipNorm > 0, freshOptimizer: optimizerState !== "continued" };
}

/** The rate of each of so many steps, warmed up and decayed, as guards would have it. */
export function scheduledRate(
  { learningRate }: Pick<StepOptions, "learningRate">,
  remedies: Remedies,
  steps: number,
): (step: number) => number {
  return (step) => remedies.learningRate * learningRate * warmupStableDecay(step, steps);
}
