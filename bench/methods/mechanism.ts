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
import { forgetsItsRoles } from "./given.ts";
import { roleDemonstrations, runningSums } from "./running-sums.ts";

/** What a method made of one base model in a few rounds. */
export interface MethodRow {
  readonly method: string;
  readonly column: "mechanism" | "misled" | "unfiltered" | "real";
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
const perDifficulty = 128;
/** Validation items that every measurement is over. */
export const measuredItems = perDifficulty * difficulties.length;

export interface RunningSumsOptions {
  /** Share of the base's demonstrations with a mistake. */
  readonly noise: number;
  /** Share of items that the base is taught wrong. */
  readonly misled?: number;
  /** Solutions without a mistake are among what is acquired. */
  readonly demonstrated?: boolean;
  /** So is what the base was taught of its roles. */
  readonly reminded?: boolean;
}

/** Running sums, 510 new items a round, on a small transformer that demonstrations of every role have taught. */
export function onRunningSums({
  noise,
  misled = 0,
  demonstrated = false,
  reminded = false,
}: RunningSumsOptions) {
  const roles = roleDemonstrations({ noise, misled });
  return {
    task: runningSums(),
    model: tiny({ layers: 3, width: 64, heads: 4 }),
    engine: local(),
    prepare: supervised({ on: roles, steps: 3000, learningRate: 3e-3 }),
    acquire: [
      ...(demonstrated ? [demonstrations({ items })] : []),
      ...(reminded ? [roles] : []),
      ...difficulties.map((difficulty) =>
        procedural({ difficulty, items: Math.round(items / difficulties.length) }),
      ),
    ],
    refine: sampledDecoding(),
    guard: [],
    evaluate: { perStratum: perDifficulty },
    gate: { mode: "observe" },
    baselines: { off: "methods are what is compared, with each other" },
  } satisfies Omit<RunConfig, "optimize">;
}

/**
 * The bases of the column, each with the share of items that its demonstrations teach wrong. The first is right wherever it is asked
 * for its majority: no reward can be seen to bring out more. Of the other the majority is wrong about those items.
 */
const misledShares = { knowing: 0, misled: 0.3 };
export type Base = keyof typeof misledShares;

/** A base of the mechanism column. */
export const onBase = (base: Base, more: Partial<RunningSumsOptions> = {}) =>
  onRunningSums({ noise, misled: misledShares[base], ...more });

export interface Played {
  readonly seed: number;
  /** One a seed: the base is prepared in it once. */
  readonly folder: string;
  /** The base that knows what is right, if left out. */
  readonly base?: Base;
  /** What tells a run from that of the method as it is. */
  readonly variant?: string;
}

/**
 * One small transformer that was taught to solve, judge, criticise, revise, debate, propose, plan and answer from a document by
 * demonstrations, and then improves itself by the method, at the method's defaults, on 510 new items a round. What the base learnt of its
 * roles is learnt; the verifier's verdict, where a method asks for it, is given; demonstrations of solutions are given to a method without
 * a reward alone, those of roles once more to one that would forget them. The table says of each what is which (`given.ts`).
 */
export async function mechanism(
  page: MethodPage,
  { seed, folder, base = "knowing", variant }: Played,
): Promise<MethodRow> {
  const { name, reward } = page;
  const definition = defineRun({
    ...onBase(base, { demonstrated: reward === "none", reminded: forgetsItsRoles.includes(name) }),
    name: [name, ...(base === "knowing" ? [] : [base]), ...(variant === undefined ? [] : [variant])].join(
      "-",
    ),
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
    base === "misled" ? "misled" : "mechanism",
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
