import type { MethodContext } from "../../../gro/method/index.ts";
import type { Measured } from "../../../lifecycle/evaluate/index.ts";
import type { RoundContext, StageProgress } from "../context.ts";
import { type MethodContextRequest, methodContext } from "../method-context.ts";
import type { Lineage, RunState } from "../state.ts";
import type { ComparisonPoint, TrainedRound } from "./comparison-point.ts";

/** A round as the run played it: the state that it began with, and the one that it left. */
export interface PlayedRound {
  readonly before: RunState;
  readonly after: RunState;
}

/** What a baseline is made with. */
export interface ArmRequest {
  /** Begins the names of its steps and its checkpoints, which no other has. */
  readonly key: string;
  readonly point: ComparisonPoint;
  /** Where the run began, and so where each baseline does. */
  readonly base: Lineage;
  /** The run's rounds to the point, and what their training said. */
  readonly rounds: readonly PlayedRound[];
  readonly trained: readonly TrainedRound[];
  /** The model had no weights, so that round 0 taught it. */
  readonly fromScratch: boolean;
  readonly progress: StageProgress;
}

/** What came of a baseline, or why there is nothing to compare with. */
export type Arm =
  | { readonly none: string }
  | {
      readonly measured: Measured;
      readonly compute: number;
      /** What was done, for people. */
      readonly text: string;
      /** Checkpoints that have served once it is stored. */
      readonly made: readonly string[];
    };

/** Trains in a baseline as a round would, under names of its own, and keeps no lineage: what it makes is thrown away. */
export function armMethodContext(
  context: RoundContext,
  { key, base, progress }: Pick<ArmRequest, "key" | "base" | "progress">,
  learning: Pick<
    MethodContextRequest,
    "round" | "items" | "base" | "older" | "buffers" | "current" | "remedies"
  >,
): MethodContext {
  return methodContext(context, {
    ...learning,
    // The round's own numbers are drawn: what differs is what the baseline is about.
    steps: `${key}/${learning.round}`,
    checkpoints: `${key.replaceAll("/", "-")}-${learning.round}`,
    baseWeights: base.checkpoints,
    // Nothing is promoted in a baseline.
    championWeights: base.checkpoints,
    storeTraining: async () => null,
    onProgress: progress,
  });
}
