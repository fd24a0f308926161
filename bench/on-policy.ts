/**
 * `npm run bench:on-policy`: a GRPO run on one small transformer. What share of its time is TypeScript's, what writing the next batch
 * while one is learnt from gains, and whether the brain's memory grows with rounds: of it, and of imitation, which keeps what it learns
 * from and draws on what earlier rounds kept. Three seeds that nobody chose; `--seed N` one.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  defineRun,
  everything,
  grpo,
  type Method,
  type RunEvent,
  rejectionSampling,
  run,
  samples,
  supervised,
  type Watcher,
} from "whetstone";
import { median } from "./engine/row.ts";
import { onRunningSums } from "./methods/mechanism.ts";
import { runSeeds } from "./run-seeds.ts";

interface OnPolicyResult {
  readonly seed: number;
  /** Of the wall time of a batch, what no worker of the engine was busy in. */
  readonly typescript_share: number;
  /** Wall time of a batch over that of one whose next is written meanwhile. */
  readonly overlap_ratio: number;
  /** Accuracy after 220 batches at the usual learning rate, one after the other and overlapped. */
  readonly accuracy: number;
  readonly accuracy_overlapped: number;
  /** Of the brain, after garbage collection, in rounds 11 to 20 and 51 to 60: heap and buffers. */
  readonly early_mb: number;
  readonly late_mb: number;
  /** The same of a run that imitates about 2,000 rollouts a round, of which each that differs is kept. */
  readonly imitation_early_mb: number;
  readonly imitation_late_mb: number;
}

const { values } = parseArgs({
  options: { seed: { type: "string" }, json: { type: "boolean", default: false } },
});
const mostShare = 0.15;
const mostGrowth = 1.1;
const [few, many] = [20, 220];
/** So small that every batch is the same work: what is learnt changes how much there is to learn from. */
const still = 1e-9;
const rounds = 60;
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

await runSeeds({
  script: import.meta.filename,
  seed: values.seed,
  seeds: 3,
  json: values.json,
  measure,
  tableOf: (rows) => ({
    columns: [
      "seed",
      "TypeScript's share",
      "overlap",
      "accuracy",
      "overlapped",
      "MB, rounds 11–20",
      "MB, rounds 51–60",
      "imitation, rounds 11–20",
      "imitation, rounds 51–60",
    ],
    rows: rows.map((row) => [
      row.seed,
      row.typescript_share.toFixed(3),
      row.overlap_ratio.toFixed(2),
      row.accuracy.toFixed(3),
      row.accuracy_overlapped.toFixed(3),
      row.early_mb.toFixed(1),
      row.late_mb.toFixed(1),
      row.imitation_early_mb.toFixed(1),
      row.imitation_late_mb.toFixed(1),
    ]),
  }),
  verdictOf: (rows) => {
    const share = median(rows.map((row) => row.typescript_share));
    const growth = median(rows.map((row) => row.late_mb / row.early_mb));
    const imitation = median(rows.map((row) => row.imitation_late_mb / row.imitation_early_mb));
    const passed = share <= mostShare && Math.max(growth, imitation) <= mostGrowth;
    const figures = `TypeScript's share ${share.toFixed(3)} (bar ${mostShare}), overlap ${median(rows.map((row) => row.overlap_ratio)).toFixed(2)} times as fast, memory × ${growth.toFixed(3)} from round 15 to 55, × ${imitation.toFixed(3)} with imitation (bar ${mostGrowth})`;
    return { passed, text: `${passed ? "Holds" : "Does not hold"}: ${figures}.` };
  },
  record: {
    name: "on-policy",
    command: "npm run --silent bench:on-policy",
    title: "A GRPO run on a small transformer: what is not the engine's",
  },
});

async function measure(seed: number): Promise<OnPolicyResult> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-on-policy-"));
  const play = async (name: string, optimize: Method, count = 1): Promise<readonly RunEvent[]> => {
    const base = onRunningSums({ noise: 0.5 });
    const definition = defineRun({ ...base, name, optimize, budget: { rounds: count }, seed });
    const { events } = await run(definition, { folder, watch: hear });
    return events.map(({ event }) => event);
  };
  let hear: Watcher = () => {};
  /** Of a run of sixty rounds, in rounds 11 to 20 and 51 to 60. */
  const sizesOf = async (name: string, optimize: Method): Promise<[early: number, late: number]> => {
    const sizes: number[] = [];
    hear = (told) => {
      if (!("event" in told) || told.event.type !== "cost-metered") return;
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      sizes.push((heapUsed + arrayBuffers) / 2 ** 20);
    };
    await play(name, optimize, rounds);
    hear = () => {};
    return [median(sizes.slice(11, 21)), median(sizes.slice(51, 61))];
  };
  try {
    await play("base", grpo({ steps: few }));
    const perBatch = async (overlap: boolean): Promise<Times> => {
      const short = timesOf(await play(`few-${overlap}`, grpo({ steps: few, overlap, learningRate: still })));
      const long = timesOf(
        await play(`many-${overlap}`, grpo({ steps: many, overlap, learningRate: still })),
      );
      return { wall: long.wall - short.wall, busy: long.busy - short.busy };
    };
    const apart = await perBatch(false);
    const overlapped = await perBatch(true);
    const learnt = async (overlap: boolean): Promise<number> =>
      accuracyOf(await play(`learn-${overlap}`, grpo({ steps: many, overlap })));
    const [early, late] = await sizesOf("rounds", grpo({ steps: 2, items: 8 }));
    const imitating = rejectionSampling({
      generate: samples({ samples: 4 }),
      reward: everything(),
      update: supervised({ steps: 2, learningRate: still }),
    });
    const [imitationEarly, imitationLate] = await sizesOf("imitation", imitating);
    return {
      seed,
      typescript_share: 1 - apart.busy / apart.wall,
      overlap_ratio: apart.wall / overlapped.wall,
      accuracy: await learnt(false),
      accuracy_overlapped: await learnt(true),
      early_mb: early,
      late_mb: late,
      imitation_early_mb: imitationEarly,
      imitation_late_mb: imitationLate,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Times {
  readonly wall: number;
  readonly busy: number;
}

/** Of the first round: how long its training took, and for how much of the round the engine was busy. */
function timesOf(events: readonly RunEvent[]): Times {
  const busyAt = (round: number): number =>
    events.flatMap((event) =>
      event.type === "cost-metered" && event.round === round ? [event.cost.busySeconds] : [],
    )[0] ?? Number.NaN;
  const stage = events.find((event) => event.type === "stage-finished" && event.stage === "optimize");
  if (stage?.type !== "stage-finished") throw new Error("the round was not played");
  return { wall: stage.seconds, busy: busyAt(1) - busyAt(0) };
}

function accuracyOf(events: readonly RunEvent[]): number {
  const measured = events.find((event) => event.type === "validation-measured" && event.who === "candidate");
  if (measured?.type !== "validation-measured") throw new Error("the round was not measured");
  return measured.measurement.mean;
}
