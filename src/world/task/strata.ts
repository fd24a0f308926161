import { userError } from "../../foundation/base/index.ts";
import type { DifficultyScale, Stratum } from "../../foundation/contract/index.ts";

/** One stratum a difficulty: weight 1 up to `growTo`, the target; weight 0 beyond, measured only. */
export function strataOf(scale: DifficultyScale, distinct: (difficulty: number) => number): Stratum[] {
  const [low] = scale.base;
  return Array.from({ length: scale.measureTo - low + 1 }, (_, index) => {
    const difficulty = low + index;
    return {
      name: `${scale.unit} ${difficulty}`,
      difficulty,
      distinct: distinct(difficulty),
      weight: difficulty <= scale.growTo ? 1 : 0,
    };
  });
}

/** Throws a user error `invalid-option` unless base ≤ growTo ≤ measureTo. */
export function scaleOf(
  where: string,
  unit: string,
  base: readonly [number, number],
  growTo: number,
  measureTo: number,
): DifficultyScale {
  if (base[0] > base[1] || base[1] > growTo || growTo > measureTo)
    throw userError(
      "invalid-option",
      `${where}: the range must rise: ${unit} [${base.join(", ")}], then growTo ${growTo}, then measureTo ${measureTo}.`,
    );
  return { unit, base, growTo, measureTo };
}
