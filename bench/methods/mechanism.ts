import {
  bestOfN,
  defineRun,
  demonstrations,
  local,
  type MethodPage,
  procedural,
  type RunConfig,
  type RunEvent,
  run,
  sampledDecoding,
  supervised,
  tiny,
} from "whetstone";
import { roleDemonstrations, runningSums } from "./running-sums.ts";

/** What a method made of one base model in a few rounds. */
export interface MethodRow {
  readonly method: string;
  readonly column: "mechanism" | "real";
  /** Accuracy of a sampled answer, on validation items. */
  readonly before: number;
  readonly after: number;
  /** 95 % interval of after − before, paired. */
  readonly low: number;
  readonly high: number;
  /** Distinct answers among 16 to one item, after. */
  readonly diversity: number | null;
  /** Generation–verification gap in the first round. */
  readonly gap: number | null;
  /** Of what the reward kept in the last round, the share that is right. */
  readonly label_accuracy: number | null;
  /** Sampled and trained, by copies that a reward threw away too. */
  readonly tokens: number;
}

/** Share of the base's demonstrations with a mistake: it samples a right answer three times of four, and knows better. */
const noise = 0.35;
const rounds = 3;
/** New items of each round, as many of each difficulty. */
const items = 510;
const difficulties = [4, 5, 6];
/** They learn answers only, and need their other roles again in each round. */
const forgetsItsRoles = ["regenesis", "self"];

export interface RunningSumsOptions {
  /** Share of the base's demonstrations with a mistake. */
  readonly noise: number;
  /** Solutions without a mistake are among what is acquired. */
  readonly demonstrated?: boolean;
  /** So is what the base was taught of its roles. */
  readonly reminded?: boolean;
}

/** Running sums, 510 new items a round, on a small transformer that demonstrations of every role have taught. */
export function onRunningSums({ noise, demonstrated = false, reminded = false }: RunningSumsOptions) {
  return {
    task: runningSums(),
    model: tiny({ layers: 3, width: 64, heads: 4 }),
    engine: local(),
    prepare: supervised({ on: roleDemonstrations({ noise }), steps: 3000, learningRate: 3e-3 }),
    acquire: [
      ...(demonstrated ? [demonstrations({ items })] : []),
      ...(reminded ? [roleDemonstrations({ noise })] : []),
      ...difficulties.map((difficulty) =>
        procedural({ difficulty, items: Math.round(items / difficulties.length) }),
      ),
    ],
    refine: sampledDecoding(),
    guard: [],
    gate: { mode: "observe" },
    baselines: { off: "methods are what is compared, with each other" },
  } satisfies Omit<RunConfig, "optimize">;
}

/**
 * One small transformer that was taught to solve, judge, criticise, revise, debate, propose, plan and answer from a document by demonstrations, and then improves
 * itself by the method, at the method's defaults, on 510 new items a round. What the base learnt of its roles is learnt; the
 * verifier's verdict, where a method asks for it, is given; demonstrations of solutions are given to a method without a reward alone, those of
 * roles once more to one that would forget them.
 */
export async function mechanism(page: MethodPage, seed: number, folder: string): Promise<MethodRow> {
  const { name, reward } = page;
  const definition = defineRun({
    ...onRunningSums({ noise, demonstrated: reward === "none", reminded: forgetsItsRoles.includes(name) }),
    name,
    optimize: page.make(),
    // Weights that rank candidates are delivered to be asked: the base is measured with the same way to answer. Of four the base itself
    // finds a right one nearly always; of two there is room.
    ...(page.ranksBy === undefined ? {} : { refine: bestOfN({ samples: 2, by: page.ranksBy }) }),
    budget: { rounds },
    seed,
  });
  const { events } = await run(definition, { folder });
  return rowOf(
    name,
    "mechanism",
    events.map(({ event }) => event),
  );
}

/** What the last candidate gained over the base, from a run's events. */
export function rowOf(method: string, column: MethodRow["column"], events: readonly RunEvent[]): MethodRow {
  const measured = events.flatMap((event) => (event.type === "validation-measured" ? [event] : []));
  const base = measured.find(({ who }) => who === "base");
  const last = measured.filter(({ who }) => who === "candidate").at(-1);
  if (base === undefined || last?.gain === undefined) throw new Error(`${method} was not measured`);
  const { interval } = last.gain;
  const read = (meter: string, round: number): number | null =>
    events
      .flatMap((event) => (event.type === "meters-read" && event.round === round ? event.readings : []))
      .find((reading) => reading.meter === meter)?.value ?? null;
  const trainings = events.flatMap((event) => (event.type === "training-finished" ? [event.evidence] : []));
  return {
    method,
    column,
    before: base.measurement.mean,
    after: last.measurement.mean,
    low: interval.low,
    high: interval.high,
    diversity: read("distinct answers", last.round),
    gap: read("generation–verification gap", 1),
    label_accuracy: read("kept label accuracy", last.round),
    tokens: trainings.reduce(
      (sum, one) =>
        sum +
        Number(one.tokensSampled) +
        Number(one.tokensTrained) +
        Number(one.trialTokensSampled ?? 0) +
        Number(one.trialPositionsTrained ?? 0),
      0,
    ),
  };
}

/** One method over several seeds: means, and the interval of the mean gain of independent runs. */
export function pooled(rows: readonly MethodRow[]): MethodRow {
  const [first] = rows;
  if (first === undefined) throw new Error("no rows to pool");
  const mean = (of: (row: MethodRow) => number | null): number | null => {
    const values = rows.map(of).filter((value) => value !== null);
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const gain = mean(({ before, after }) => after - before) ?? 0;
  const half = Math.sqrt(rows.reduce((sum, { low, high }) => sum + ((high - low) / 2) ** 2, 0)) / rows.length;
  return {
    ...first,
    before: mean(({ before }) => before) ?? 0,
    after: mean(({ after }) => after) ?? 0,
    low: gain - half,
    high: gain + half,
    diversity: mean(({ diversity }) => diversity),
    gap: mean((row) => row.gap),
    label_accuracy: mean((row) => row.label_accuracy),
    tokens: mean(({ tokens }) => tokens) ?? 0,
  };
}
