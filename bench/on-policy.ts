/**
 * `npm run bench:on-policy`: a GRPO run on one small transformer. What share of its time is TypeScript's, what writing the next batch
 * while one is learnt from gains, and whether the brain's memory grows with rounds. Three seeds that nobody chose; `--seed N` one.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { defineRun, type GrpoOptions, grpo, type RunEvent, run, type Watcher } from "whetstone";
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
    ],
    rows: rows.map((row) => [
      row.seed,
      row.typescript_share.toFixed(3),
      row.overlap_ratio.toFixed(2),
      row.accuracy.toFixed(3),
      row.accuracy_overlapped.toFixed(3),
      row.early_mb.toFixed(1),
      row.late_mb.toFixed(1),
    ]),
  }),
  verdictOf: (rows) => {
    const share = median(rows.map((row) => row.typescript_share));
    const growth = median(rows.map((row) => row.late_mb / row.early_mb));
    const passed = share <= mostShare && growth <= mostGrowth;
    const figures = `TypeScript's share ${share.toFixed(3)} (bar ${mostShare}), overlap ${median(rows.map((row) => row.overlap_ratio)).toFixed(2)} times as fast, memory × ${growth.toFixed(3)} from round 15 to 55 (bar ${mostGrowth})`;
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
  const play = async (name: string, options: GrpoOptions, count = 1): Promise<readonly RunEvent[]> => {
    const base = onRunningSums({ noise: 0.5 });
    const definition = defineRun({ ...base, name, optimize: grpo(options), budget: { rounds: count }, seed });
    const { events } = await run(definition, { folder, watch: hear });
    return events.map(({ event }) => event);
  };
  const sizes: number[] = [];
  let hear: Watcher = () => {};
  try {
    await play("base", { steps: few });
    const perBatch = async (overlap: boolean): Promise<Times> => {
      const short = timesOf(await play(`few-${overlap}`, { steps: few, overlap, learningRate: still }));
      const long = timesOf(await play(`many-${overlap}`, { steps: many, overlap, learningRate: still }));
      return { wall: long.wall - short.wall, busy: long.busy - short.busy };
    };
    const apart = await perBatch(false);
    const overlapped = await perBatch(true);
    const learnt = async (overlap: boolean): Promise<number> =>
      accuracyOf(await play(`learn-${overlap}`, { steps: many, overlap }));
    hear = (told) => {
      if (!("event" in told) || told.event.type !== "cost-metered") return;
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      sizes.push((heapUsed + arrayBuffers) / 2 ** 20);
    };
    await play("rounds", { steps: 2, items: 8 }, rounds);
    const [early, late] = [sizes.slice(11, 21), sizes.slice(51, 61)].map((part) => median(part)) as [
      number,
      number,
    ];
    return {
      seed,
      typescript_share: 1 - apart.busy / apart.wall,
      overlap_ratio: apart.wall / overlapped.wall,
      accuracy: await learnt(false),
      accuracy_overlapped: await learnt(true),
      early_mb: early,
      late_mb: late,
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
