import { type RandomStream, randomStream } from "../../src/foundation/base/index.ts";
import { exactInterval, type Interval, meanInterval, meanOf } from "../../src/foundation/statistics/index.ts";
import type { Picture } from "./picture.ts";
import type { Relation, Row } from "./row.ts";

/** What a chain of generations is watched for, and what a closed form says of it. */
export interface Quantity {
  readonly key: string;
  readonly what: string;
  /** A `share` is of observations that are 0 or 1, a `mean` of any numbers. */
  readonly kind: "mean" | "share";
  readonly predicted: number;
  /** How far from the prediction the whole interval may reach when five seeds are measured. */
  readonly tolerance: number;
  /** What is predicted may be a bound. */
  readonly relation?: Relation;
  /** Has a row of its own in the table; the others are checked and drawn. */
  readonly told?: boolean;
}

/** A formula that somebody could take for the right one: it must not hold. */
export interface WrongFormula {
  readonly what: string;
  /** The quantity that it is wrong about. */
  readonly key: string;
  readonly predicted: number;
  /** Default the quantity's own. */
  readonly relation?: Relation;
}

/** A result of a paper with a closed form, and the simulation that must reproduce it. */
export interface Theory {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly quantities: readonly Quantity[];
  readonly wrong: readonly WrongFormula[];
  /** Groups of independent chains for each seed. Every group has an interval of its own, so that their coverage is measured. */
  readonly size: Size;
  /** The quantity whose intervals are counted. */
  readonly covers: string;
  /** One list a chain, an observation a quantity; NaN where there was none. */
  readonly simulate: (stream: RandomStream, chains: number) => number[][] | Promise<number[][]>;
  readonly picture: (found: (key: string) => Row) => Picture;
}

export interface Size {
  readonly groups: number;
  readonly chains: number;
}

export interface Measured extends Row {
  readonly key: string;
  readonly told: boolean;
  /** What each seed says alone. */
  readonly seeds: readonly number[];
}

export interface TheoryResult {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly rows: readonly Measured[];
  /** How often a group's interval holds the predicted value. */
  readonly coverage: Row;
  /** Each must not hold. */
  readonly controls: readonly Row[];
  readonly holds: boolean;
  readonly seconds: number;
}

const fullSeeds = 5;
/** With 500 groups. Intervals of skewed values hold the truth a little less often, where a group is small. */
const coverageTolerance = 0.08;

/** Simulates a theory for some seeds and compares. Smaller groups are for tests. */
export async function measureTheory(
  theory: Theory,
  seeds: readonly (number | string)[],
  size: Size = theory.size,
): Promise<TheoryResult> {
  const startedAt = performance.now();
  const bySeed: number[][][][] = [];
  for (const seed of seeds) {
    const groups: number[][][] = [];
    for (let group = 0; group < size.groups; group++)
      groups.push(await theory.simulate(randomStream(seed, `theory/${theory.name}/${group}`), size.chains));
    bySeed.push(groups);
  }
  const all = bySeed.flat(2);
  const wider = Math.sqrt(
    (fullSeeds * theory.size.groups * theory.size.chains) / (seeds.length * size.groups * size.chains),
  );
  const rows = theory.quantities.map((quantity, index): Measured => {
    const { key, told = false, predicted, tolerance } = quantity;
    const seen = estimate(quantity, column(all, index));
    const alone = bySeed.map((groups) => meanOf(column(groups.flat(), index)));
    return { key, told, ...compare(quantity, seen, predicted, wider * tolerance), seeds: alone };
  });
  const found = (key: string): Measured => {
    const row = rows.find((one) => one.key === key);
    if (row === undefined) throw new RangeError(`${theory.name} measures no "${key}"`);
    return row;
  };
  const watched = theory.quantities.findIndex(({ key }) => key === theory.covers);
  const quantity = theory.quantities[watched] as Quantity;
  const intervals = bySeed.flat().map((chains) => estimate(quantity, column(chains, watched)).interval);
  // Never so wide that intervals of half the width would pass.
  const coverageWithin = Math.min(0.25, coverageTolerance * Math.sqrt(500 / intervals.length));
  const coverage = coverageOf(quantity, intervals, coverageWithin);
  const controls = [
    ...theory.wrong.map(({ what, key, predicted, relation = found(key).relation }) => {
      const { measured, interval, tolerance } = found(key);
      return compare({ what, relation }, { measured, interval }, predicted, tolerance);
    }),
    {
      ...coverageOf(quantity, intervals.map(halved), coverageWithin),
      what: "intervals of half the width",
    },
  ];
  const { name, title, source } = theory;
  const holds =
    rows.every((row) => row.holds) && coverage.holds && controls.every((control) => !control.holds);
  const seconds = (performance.now() - startedAt) / 1000;
  return { name, title, source, rows, coverage, controls, holds, seconds };
}

interface Estimate {
  readonly measured: number;
  readonly interval: Interval;
}

/** By the statistics that runs are judged with. */
function estimate({ kind }: Pick<Quantity, "kind">, values: readonly number[]): Estimate {
  const measured = meanOf(values);
  if (kind === "mean") return { measured, interval: meanInterval(values) };
  const successes = values.reduce((sum, value) => sum + value, 0);
  return { measured, interval: exactInterval(successes, values.length) };
}

/**
 * Equal is what lies within the tolerance with its whole interval: so both a wrong value and one that was measured too roughly
 * fail. A bound must not be passed by the interval, the tolerance included.
 */
function compare(
  { what, relation = "equal" }: Pick<Quantity, "what" | "relation">,
  { measured, interval }: Estimate,
  predicted: number,
  tolerance: number,
): Row {
  const above = interval.low >= predicted - tolerance;
  const below = interval.high <= predicted + tolerance;
  const holds = relation === "equal" ? above && below : relation === "at least" ? above : below;
  return { what, relation, predicted, measured, interval, tolerance, holds };
}

function coverageOf({ predicted }: Quantity, intervals: readonly Interval[], tolerance: number): Row {
  const covering = intervals.filter(({ low, high }) => low <= predicted && predicted <= high).length;
  return compare(
    { what: "groups whose 95 % interval holds it", relation: "at least" },
    { measured: covering / intervals.length, interval: exactInterval(covering, intervals.length) },
    0.95,
    tolerance,
  );
}

function halved({ low, high }: Interval): Interval {
  return { low: (3 * low + high) / 4, high: (low + 3 * high) / 4 };
}

function column(chains: readonly number[][], index: number): number[] {
  return chains.map((chain) => chain[index] ?? Number.NaN).filter((value) => !Number.isNaN(value));
}
