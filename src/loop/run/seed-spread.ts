import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { type Json, readOptions, userError } from "../../foundation/base/index.ts";
import type { Budget, StoredEvent } from "../../foundation/contract/index.ts";
import { type Interval, meanInterval, meanOf, varianceOf } from "../../foundation/statistics/index.ts";
import { budgetWords } from "./budget.ts";
import { type RecordedRun, readRun } from "./find-run.ts";
import { lastRound, resultOf } from "./result.ts";
import { championOf } from "./weights.ts";

export interface SeedSpreadOptions {
  /** Project folders whose last runs are of one configuration but for the seed; two at least. */
  readonly folders: readonly string[];
}

const optionsSchema = z.strictObject({ folders: z.array(z.string().min(1)).min(2) });

/** What one of the runs came to. */
export interface SeededRun {
  readonly folder: string;
  readonly run: string;
  readonly seed: number;
  /** Rounds that it played: the budget is no part of a configuration. */
  readonly rounds: number;
  readonly championRound: number;
  /** Champion against base on audit items; 0 where the base is the champion still. */
  readonly gain: number;
  /** Of the champion, on validation items. */
  readonly accuracy: number;
  /** Null where nothing is solved, or difficulties only number kinds. */
  readonly frontier: number | null;
}

/** How far runs are apart that differ in their seeds alone. */
export interface Spread {
  readonly mean: number;
  /** Of the mean over seeds, 95 %, by Student's t. */
  readonly interval: Interval;
  /** Standard deviation of one run (n − 1). */
  readonly deviation: number;
  readonly least: number;
  readonly most: number;
}

export interface SeedSpread {
  readonly name: string;
  readonly runs: readonly SeededRun[];
  readonly gain: Spread;
  readonly accuracy: Spread;
  /** Null where one of the runs has no frontier. */
  readonly frontier: Spread | null;
}

/**
 * What finished runs of one configuration under several seeds came to, and how far they are apart: that a gain is not one seed's
 * luck. Reads ledgers alone, and takes no lock. Throws user errors `no-run`, `run-unfinished`, `other-configuration`,
 * `other-budget` and `same-seed`.
 *
 * @example
 * const prepare = supervised({ on: demonstrations(), steps: 10, learningRate: 0.3 });
 * const task = reverse({ lengths: [1, 4] });
 * const folders = [];
 * for (const seed of [1, 2]) {
 *   const folder = await mkdtemp(join(tmpdir(), "seed-"));
 *   await run(defineRun({ task, engine: tabular(), prepare, seed, budget: { rounds: 0 } }), { folder });
 *   folders.push(folder);
 * }
 * seedSpread({ folders }).accuracy.deviation;
 */
export function seedSpread(options: SeedSpreadOptions): SeedSpread {
  const { folders } = readOptions("seedSpread()", optionsSchema, options);
  const found = folders.map((folder) => ({ folder, ...readRun(folder) }));
  const [first, ...others] = found as [(typeof found)[number], ...typeof found];
  for (const other of others) refuseOther(first, other);
  for (const other of others) refuseOtherBudget(first, other);
  const seeds = found.map(({ record }) => record.seed);
  const twice = seeds.find((seed, index) => seeds.indexOf(seed) < index);
  if (twice !== undefined)
    throw userError(
      "same-seed",
      `Two of the runs have the seed ${twice}: what differs by seeds shows in runs of different ones.`,
    );
  const runs = found.map(({ folder, record, events }) => seededRun(folder, record, events));
  const spread = (of: (run: SeededRun) => number): Spread => spreadOf(runs.map(of));
  return {
    name: first.record.name,
    runs,
    gain: spread(({ gain }) => gain),
    accuracy: spread(({ accuracy }) => accuracy),
    frontier: runs.some(({ frontier }) => frontier === null) ? null : spread(({ frontier }) => frontier ?? 0),
  };
}

interface Found extends RecordedRun {
  readonly folder: string;
}

function refuseOther(first: Found, other: Found): void {
  const [one, another] = [settings(first), settings(other)];
  const differing = [...new Set([...Object.keys(one), ...Object.keys(another)])].filter(
    (name) => !isDeepStrictEqual(one[name], another[name]),
  );
  if (differing.length > 0)
    throw userError(
      "other-configuration",
      `The runs in ${first.folder} and ${other.folder} differ in more than their seeds: in ${differing.join(", ")}.`,
    );
}

/** What comes of longer runs is not spread by their seeds alone. */
function refuseOtherBudget(first: Found, other: Found): void {
  const [one, another] = [budgetOf(first), budgetOf(other)];
  if (!isDeepStrictEqual(one, another))
    throw userError(
      "other-budget",
      `The runs in ${first.folder} and ${other.folder} were given other budgets (${budgetWords(one)}; ${budgetWords(another)}), so more than their seeds would tell them apart. Raise the smaller one: \`whetstone run FOLDER --budget …\` goes on with that run.`,
    );
}

/** The last that a run was given. */
function budgetOf({ events }: Found): Budget {
  const given = events.findLast(({ event }) => event.type === "run-started" || event.type === "run-resumed");
  if (given?.event.type !== "run-started" && given?.event.type !== "run-resumed") return { rounds: 0 };
  return given.event.budget ?? { rounds: given.event.rounds };
}

/** All that decides a run but its seed; one that went on from another run's champion began elsewhere. */
function settings({ record }: Found): Readonly<Record<string, Json>> {
  const { seed: _seed, ...rest } = record.description as Record<string, Json>;
  return record.origin === null ? rest : { ...rest, origin: record.origin };
}

function seededRun(folder: string, { id, seed }: Found["record"], events: readonly StoredEvent[]): SeededRun {
  const { championRound, gain } = resultOf(id, events, (checkpoint) => checkpoint);
  if (championRound === null)
    throw userError(
      "run-unfinished",
      `The run in ${folder} is not finished: \`whetstone run\` goes on with it.`,
      { folder },
    );
  const champion = championOf(events)?.round ?? championRound;
  const measured = events.findLast(
    ({ event }) =>
      event.type === "validation-measured" && event.round === champion && event.who !== "champion",
  )?.event;
  const measurement = measured?.type === "validation-measured" ? measured.measurement : undefined;
  return {
    folder,
    run: id,
    seed,
    rounds: lastRound(events),
    championRound: champion,
    gain: gain?.mean ?? 0,
    accuracy: measurement?.mean ?? Number.NaN,
    frontier: measurement?.frontier90 ?? null,
  };
}

function spreadOf(values: readonly number[]): Spread {
  return {
    mean: meanOf(values),
    interval: meanInterval(values),
    deviation: Math.sqrt(varianceOf(values)),
    least: Math.min(...values),
    most: Math.max(...values),
  };
}
