import { z } from "zod";
import type { DifficultyScale, Stratum } from "../../foundation/contract/index.ts";

const difficulty = z.number().int().min(1).max(1000);

/** `[low, high]` of the difficulties that have demonstrations. */
export const baseSchema = z.tuple([difficulty, difficulty]).readonly();

/** How far a run trains itself, and how far it is measured. */
export const reachShape = {
  /** The greatest difficulty that a run trains itself towards; twice the base's greatest if left out. */
  growTo: difficulty.optional(),
  /** The greatest difficulty that is measured; two more than `growTo` if left out. */
  measureTo: difficulty.optional(),
};

interface Reach {
  readonly growTo?: number | undefined;
  readonly measureTo?: number | undefined;
}

/** The scale that options ask for, with its defaults. */
export function scaleOf(
  unit: string,
  base: readonly [number, number],
  { growTo = 2 * base[1], measureTo = growTo + 2 }: Reach,
): DifficultyScale {
  return { unit, base, growTo, measureTo };
}

/** Demands low ≤ high ≤ growTo ≤ measureTo of options whose base stands under `name`. */
export function checkReach<T extends Reach>(
  name: keyof T & string,
): (options: T, context: z.core.$RefinementCtx<T>) => void {
  return (options, context) => {
    const base = options[name] as readonly [number, number];
    const { growTo, measureTo } = scaleOf(name, base, options);
    const demand = (holds: boolean, option: string, message: string): void => {
      if (!holds) context.addIssue({ code: "custom", path: [option], message });
    };
    demand(base[0] <= base[1], name, `its first number, ${base[0]}, is greater than its second, ${base[1]}`);
    demand(base[1] <= growTo, "growTo", `${growTo} is less than ${base[1]}, where "${name}" ends`);
    demand(growTo <= measureTo, "measureTo", `${measureTo} is less than "growTo", ${growTo}`);
  };
}

/** One stratum a difficulty: weight 1 up to `growTo`, the target distribution; beyond it measured only, with weight 0. */
export function strataOf(
  { unit, base, growTo, measureTo }: DifficultyScale,
  distinct: (difficulty: number) => number,
): Stratum[] {
  return Array.from({ length: measureTo - base[0] + 1 }, (_, index) => {
    const at = base[0] + index;
    return {
      name: `${unit} ${at}`,
      difficulty: at,
      distinct: distinct(at),
      weight: at <= growTo ? 1 : 0,
    };
  });
}

/** Kinds, which have names and no order: strata numbered from 1, and the scale that says so. */
export function kindScale(kinds: readonly Omit<Stratum, "difficulty">[]): {
  readonly scale: DifficultyScale;
  readonly strata: readonly Stratum[];
} {
  const last = kinds.length;
  return {
    scale: { unit: "kind", base: [1, last], growTo: last, measureTo: last, ordered: false },
    strata: kinds.map((kind, index) => ({ ...kind, difficulty: index + 1 })),
  };
}

/** Difficulties worth a canary: the least, the middle, the end of the base, and the greatest. */
export function canaryDifficulties({ base, measureTo }: DifficultyScale): number[] {
  return [...new Set([base[0], Math.ceil((base[0] + base[1]) / 2), base[1], measureTo])];
}
