import type { TrainingLoss } from "../../foundation/contract/index.ts";

/** Loss of an optimiser step per trained token; null where it was no number. */
export type StepLoss = number | null;

/** Figures that are kept of a loss: more than anyone reads, and few bytes in a ledger. */
const figures = 6;

export function stepLoss(loss: number): StepLoss {
  return Number.isFinite(loss) ? Number(loss.toPrecision(figures)) : null;
}

/** Points of a training's curve. */
const mostMeans = 32;

/** The curve of a training's losses, in at most 32 points; undefined where no step was made. */
export function trainingLoss(losses: readonly StepLoss[]): TrainingLoss | undefined {
  const steps = losses.length;
  if (steps === 0) return undefined;
  const points = Math.min(steps, mostMeans);
  const startOf = (point: number): number => Math.round((point * steps) / points);
  const means = Array.from({ length: points }, (_, point) =>
    meanOf(losses.slice(startOf(point), startOf(point + 1))),
  );
  return { steps, means };
}

function meanOf(losses: readonly StepLoss[]): StepLoss {
  // A stretch with a step that diverged has no mean: it is not hidden among the others.
  return stepLoss(losses.reduce<number>((sum, loss) => sum + (loss ?? Number.NaN), 0) / losses.length);
}
