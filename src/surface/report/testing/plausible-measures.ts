import type { RandomStream } from "../../../foundation/base/index.ts";
import type { Cost, Measurement, StageName } from "../../../foundation/contract/index.ts";

export const zeroCost: Cost = {
  tokensSampled: 0,
  tokensTrained: 0,
  optimizerSteps: 0,
  busySeconds: 0,
  availableSeconds: 0,
  wallSeconds: 0,
};

export function spend(before: Cost, stage: StageName, seconds: number, random: RandomStream): Cost {
  const trains = stage === "prepare" || stage === "optimize";
  return {
    tokensSampled: before.tokensSampled + (stage === "prepare" ? 0 : Math.round(seconds * 21_000)),
    tokensTrained: before.tokensTrained + (trains ? Math.round(seconds * 46_000) : 0),
    optimizerSteps: before.optimizerSteps + (trains ? Math.round(seconds * 30) : 0),
    busySeconds: before.busySeconds + 2 * seconds * (0.88 + 0.08 * random.uniform()),
    availableSeconds: before.availableSeconds + 2 * seconds,
    wallSeconds: before.wallSeconds + seconds,
  };
}

/** Accuracy falls off around the length that the model can reach. */
export function measured(
  weightVersion: string,
  reach: number,
  to: number,
  split: Measurement["split"],
  random: RandomStream,
): Measurement {
  const strata = Array.from({ length: to }, (_, index) => {
    const difficulty = index + 1;
    const enumerated = difficulty <= 3;
    const items = enumerated ? 10 ** difficulty : 128;
    const clear = 1 / (1 + Math.exp(2.6 * (difficulty - reach - 0.9)));
    const noisy = difficulty <= 6 ? 1 : Math.min(1, Math.max(0, clear + 0.02 * (random.uniform() - 0.5)));
    const mean = Math.round(noisy * items) / items;
    return { stratum: `length ${difficulty}`, difficulty, items, mean, voids: 0, enumerated };
  });
  const mean = strata.reduce((sum, one) => sum + one.mean, 0) / strata.length;
  const solvedTo = (bar: number): number | null => {
    const failed = strata.findIndex((one) => one.mean < bar);
    return failed === 0 ? null : failed === -1 ? to : failed;
  };
  return {
    weightVersion,
    split,
    strata,
    mean,
    interval: { low: Math.max(0, mean - 0.012), high: Math.min(1, mean + 0.012) },
    frontier90: solvedTo(0.9),
    frontier50: solvedTo(0.5),
  };
}

export function evaluation({ mean, frontier90 }: Measurement): string {
  return `accuracy ${(100 * mean).toFixed(1)} %, every length up to ${frontier90 ?? "none"} solved`;
}
