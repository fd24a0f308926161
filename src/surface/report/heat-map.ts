import type { Measurement } from "../../foundation/contract/index.ts";
import { isOrdered } from "./kinds.ts";
import type { RoundStory, RunFacts, RunStory } from "./story.ts";
import { type Outcome, outcomeOf } from "./words.ts";

/** Where a difficulty stands: shown by demonstrations, grown into by the run itself, or only measured. */
export type Zone = "demonstrated" | "self-taught" | "measured";

export interface HeatColumn {
  readonly difficulty: number;
  /** What stands above it: the difficulty, or the name of its kind. */
  readonly name: string;
  readonly zone: Zone;
  /** Measured whole: no splits, no claim of generalisation. */
  readonly enumerated: boolean;
}

export interface HeatCell {
  /** Null where nothing was measured. */
  readonly accuracy: number | null;
  readonly items: number;
}

export interface HeatRow {
  /** Round 0 is the base. */
  readonly round: number;
  readonly split: "validation" | "audit";
  /** One a column. */
  readonly cells: readonly HeatCell[];
  readonly mean: number;
  readonly frontier: number | null;
  /** Of the round; the base has none. */
  readonly outcome: Outcome | null;
  readonly champion: boolean;
}

/** Accuracy by difficulty (columns) and round (rows); the base is the first row. */
export interface HeatMap {
  readonly unit: string;
  /** False where columns are kinds: their order says nothing, and there is no frontier. */
  readonly ordered: boolean;
  readonly columns: readonly HeatColumn[];
  readonly rows: readonly HeatRow[];
  /** The base and the champion on audit items, where they were audited. */
  readonly auditRows: readonly HeatRow[];
}

export function heatMapOf(story: RunStory): HeatMap {
  const { preparation, rounds, audit, champion, facts } = story;
  const measured = [preparation, ...rounds].flatMap((round) =>
    round?.validation ? [{ round, measurement: round.validation }] : [],
  );
  const columns = columnsOf(
    [...measured.map(({ measurement }) => measurement), ...(audit ? [audit.before, audit.after] : [])],
    facts,
  );
  const rowOf = (round: RoundStory | number, measurement: Measurement): HeatRow => {
    const number = typeof round === "number" ? round : round.round;
    return {
      round: number,
      split: measurement.split,
      cells: columns.map(({ difficulty }) => cellOf(measurement, difficulty)),
      mean: measurement.mean,
      frontier: measurement.frontier90,
      outcome: typeof round === "number" || number === 0 ? null : outcomeOf(round),
      champion: number === champion.round,
    };
  };
  return {
    unit: facts?.unit ?? "difficulty",
    ordered: isOrdered(facts),
    columns,
    rows: measured.map(({ round, measurement }) => rowOf(round, measurement)),
    auditRows: audit === null ? [] : [rowOf(0, audit.before), rowOf(audit.championRound, audit.after)],
  };
}

function columnsOf(measurements: readonly Measurement[], facts: RunFacts | null): HeatColumn[] {
  const enumerated = new Map<number, boolean>();
  for (const stratum of measurements.flatMap(({ strata }) => strata))
    enumerated.set(stratum.difficulty, (enumerated.get(stratum.difficulty) ?? true) && stratum.enumerated);
  return [...enumerated]
    .sort(([a], [b]) => a - b)
    .map(([difficulty, whole]) => ({
      difficulty,
      name: facts?.kinds?.[difficulty - 1] ?? String(difficulty),
      enumerated: whole,
      zone: zoneOf(difficulty, facts),
    }));
}

function zoneOf(difficulty: number, facts: RunFacts | null): Zone {
  if (facts === null) return "measured";
  if (difficulty <= facts.base[1]) return "demonstrated";
  return difficulty <= facts.growTo ? "self-taught" : "measured";
}

const cellsByMeasurement = new WeakMap<Measurement, ReadonlyMap<number, HeatCell>>();
const unmeasured: HeatCell = { accuracy: null, items: 0 };

function cellOf(measurement: Measurement, difficulty: number): HeatCell {
  // Views ask for the same rounds again with every event.
  const known = cellsByMeasurement.get(measurement) ?? cellsOf(measurement);
  cellsByMeasurement.set(measurement, known);
  return known.get(difficulty) ?? unmeasured;
}

/** Several strata of one difficulty count by their judged items. */
function cellsOf({ strata }: Measurement): ReadonlyMap<number, HeatCell> {
  const cells = new Map<number, HeatCell>();
  for (const { difficulty, items, voids, mean } of strata) {
    const judged = items - voids;
    if (judged <= 0) continue;
    const { accuracy, items: before } = cells.get(difficulty) ?? unmeasured;
    const all = before + judged;
    cells.set(difficulty, { accuracy: ((accuracy ?? 0) * before + mean * judged) / all, items: all });
  }
  return cells;
}
