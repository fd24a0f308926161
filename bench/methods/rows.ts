import type { CeilingRow } from "./ceiling.ts";
import type { ExactRow } from "./exact.ts";
import { type MethodRow, measuredItems } from "./mechanism.ts";

export type Row = MethodRow | ExactRow | CeilingRow;
export type SeededRow = Row & { readonly seed: number };

/** Those of a column. */
export function ofColumn<C extends Row["column"]>(
  rows: readonly SeededRow[],
  column: C,
): (SeededRow & { readonly column: C })[] {
  return rows.filter((row): row is SeededRow & { readonly column: C } => row.column === column);
}

/** One method over several seeds: means, and the interval of the mean gain of independent runs. */
export function pooled(rows: readonly MethodRow[]): MethodRow {
  const [first] = rows;
  if (first === undefined) throw new Error("no rows to pool");
  const gain = mean(rows.map(({ before, after }) => after - before)) ?? 0;
  const half = Math.sqrt(rows.reduce((sum, { low, high }) => sum + ((high - low) / 2) ** 2, 0)) / rows.length;
  return {
    ...first,
    before: mean(rows.map(({ before }) => before)) ?? 0,
    after: mean(rows.map(({ after }) => after)) ?? 0,
    low: gain - half,
    high: gain + half,
    diversity: mean(rows.map(({ diversity }) => diversity)),
    gap: mean(rows.map(({ gap }) => gap)),
    label_accuracy: mean(rows.map((row) => row.label_accuracy)),
    tokens: mean(rows.map(({ tokens }) => tokens)) ?? 0,
  };
}

/** Of what there is; null where nothing is. */
export function mean(values: readonly (number | null)[]): number | null {
  const numbers = values.filter((value) => value !== null);
  return numbers.length === 0 ? null : numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}

/** Two accuracies of one seed. */
export interface Beside {
  readonly of: number;
  readonly less: number;
}

export interface Difference {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Student's t at 97.5 %, by degrees of freedom from 1; of more seeds than these the normal's. */
const studentT = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26];
const normal = 1.96;

/**
 * One accuracy less another over seeds, with a 95 % interval: by what the items scatter, as if both were asked other ones, or by what the
 * seeds do, where that is more. Of one seed the second is not known.
 */
export function difference(seeds: readonly Beside[]): Difference {
  const differences = seeds.map(({ of, less }) => of - less);
  const middle = mean(differences) ?? 0;
  const ofItems = mean(seeds.map(({ of, less }) => errorOf(of) + errorOf(less))) ?? 0;
  const ofSeeds =
    seeds.length < 2
      ? 0
      : differences.reduce((sum, one) => sum + (one - middle) ** 2, 0) / (seeds.length - 1);
  const half =
    Math.max(normal * Math.sqrt(ofItems), (studentT[seeds.length - 2] ?? normal) * Math.sqrt(ofSeeds)) /
    Math.sqrt(seeds.length);
  return { mean: middle, low: middle - half, high: middle + half };
}

/** Squared standard error of a share of the measured items, with a right and a wrong one more, so that it is never 0. */
function errorOf(share: number): number {
  const shrunk = (share * measuredItems + 1) / (measuredItems + 2);
  return (shrunk * (1 - shrunk)) / measuredItems;
}
