import { userError } from "../../../foundation/base/index.ts";
import { reachableTargets } from "./solve-countdown.ts";

export type Range = readonly [low: number, high: number];

/** By how many numbers are given: more sets than these are not solved one by one when a task is made. */
const mostSets: Readonly<Record<number, number>> = { 2: 6000, 3: 6000, 4: 1500 };
/** Sets that are looked at where there are more. */
const setsTried = 40;
/** More items than any run will draw: they need no count. */
const plenty = 50_000;

/**
 * How many different items there are: counted where there are few sets of numbers; `Infinity` where a look at some sets,
 * evenly chosen, says that there are more than 50,000. Throws a user error `countdown-uncountable` in between.
 */
export function countItems(count: number, values: Range, targets: Range): number {
  const sets = setsOf(count, values);
  if (sets <= (mostSets[count] ?? 0)) {
    let items = 0;
    for (const numbers of numberSets(count, values)) items += reachableTargets(numbers, targets).size;
    return items;
  }
  let reached = 0;
  for (let index = 0; index < setsTried; index++)
    reached += reachableTargets(numberSetAt(count, values, (index + 0.5) / setsTried), targets).size;
  if ((reached / setsTried) * sets >= plenty) return Number.POSITIVE_INFINITY;
  throw userError(
    "countdown-uncountable",
    `countdown(): ${count} numbers of ${values.join(" to ")} are too many to be counted one by one, and too few of them reach a target of ${targets.join(" to ")} to draw from without counting. Widen "target", or narrow "values".`,
    { numbers: count, sets },
  );
}

/** Ascending lists of `count` numbers in a range, in order: n + k − 1 over k of them. */
export function* numberSets(count: number, [low, high]: Range): Generator<number[]> {
  if (count === 0) yield [];
  else
    for (let first = low; first <= high; first++)
      for (const others of numberSets(count - 1, [first, high])) yield [first, ...others];
}

function setsOf(count: number, [low, high]: Range): number {
  let sets = 1;
  for (let index = 1; index <= count; index++) sets = (sets * (high - low + index)) / index;
  return Math.round(sets);
}

/** The set at a share of the way through their order. */
function numberSetAt(count: number, [low, high]: Range, share: number): number[] {
  let place = Math.floor(share * setsOf(count, [low, high]));
  const numbers: number[] = [];
  let least = low;
  for (let left = count - 1; left >= 0; left--) {
    for (;;) {
      const after = setsOf(left, [least, high]);
      if (place < after || least === high) break;
      place -= after;
      least += 1;
    }
    numbers.push(least);
  }
  return numbers;
}
