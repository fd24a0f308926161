/**
 * Lineage, measured: how long `whetstone trace` takes on a ledger of a million examples (each answer a second at most), and what
 * keeping lineage costs a run of the demo, with and without it in pairs: processor time of the TypeScript side, of the wall time at
 * most 5 %. `--part trace|cost` does one of the two. Fewer `--examples` or `--pairs` are not recorded.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { run } from "whetstone";
import example from "../examples/reverse/whetstone.config.ts";
import { type LargeLedger, makeLargeLedger } from "./lineage/large-ledger.ts";
import { type BenchTable, record, renderTable } from "./record.ts";

/** What is recorded. */
const fullSize = { examples: "1000000", pairs: "4" } as const;

const { values } = parseArgs({
  options: {
    part: { type: "string", default: "both" },
    examples: { type: "string", default: fullSize.examples },
    pairs: { type: "string", default: fullSize.pairs },
    json: { type: "boolean", default: false },
    /** One run of the demo, in a process of its own: `on` or `off`. */
    demo: { type: "string" },
    seed: { type: "string", default: "0" },
  },
});

const program = join(import.meta.dirname, "..", "bin", "whetstone.js");
/** Each question is asked so often, by a process of its own. */
const askedTimes = 5;
/** Seconds that an answer may take. */
const mostSeconds = 1;
/** Of the wall time, processor time that lineage may add: wall times of runs differ by more than that by themselves. */
const mostBrainShare = 0.05;

interface Traced {
  readonly examples: number;
  /** Seconds of the whole command, by what is traced: the median, and the largest. */
  readonly seconds: Readonly<Record<string, { readonly median: number; readonly largest: number }>>;
  /** The largest of all answers. */
  readonly slowest: number;
  readonly rebuildSeconds: number;
  readonly recordSeconds: number;
  readonly recordsMegabytes: number;
  readonly indexMegabytes: number;
}

interface DemoRun {
  readonly wall_seconds: number;
  readonly brain_seconds: number;
  readonly records_megabytes: number;
}

interface Pair {
  readonly on: DemoRun;
  readonly off: DemoRun;
  /** Of wall times, with lineage and without. */
  readonly ratio: number;
  /** Processor time of the TypeScript side that lineage adds, as a share of the wall time without it. */
  readonly brainShare: number;
}

interface Cost {
  readonly pairs: readonly Pair[];
  readonly medianRatio: number;
  readonly medianBrainShare: number;
}

if (values.demo !== undefined) console.log(JSON.stringify(await demoRun(values.demo === "on")));
else await main();

async function main(): Promise<void> {
  const traced = values.part === "cost" ? undefined : await measureTraces(Number(values.examples));
  if (traced !== undefined)
    say("lineage", traced, tracedTable(traced), values.examples === fullSize.examples);
  const cost = values.part === "trace" ? undefined : measureCost(Number(values.pairs));
  if (cost !== undefined) say("lineage-cost", cost, costTable(cost), values.pairs === fullSize.pairs);
  const failed = (traced !== undefined && !isQuick(traced)) || (cost !== undefined && !isCheap(cost));
  process.exitCode = failed ? 1 : 0;
}

function isQuick({ slowest }: Traced): boolean {
  return slowest < mostSeconds;
}

function isCheap({ medianBrainShare }: Cost): boolean {
  return medianBrainShare <= mostBrainShare;
}

function say(name: string, measured: Traced | Cost, table: BenchTable, inFull: boolean): void {
  console.log(
    values.json ? JSON.stringify({ [name]: measured }) : `${renderTable(table)}\n${table.verdict}\n`,
  );
  if (inFull) record(name, "npm run --silent bench:lineage", table);
}

async function measureTraces(examples: number): Promise<Traced> {
  const folder = mkdtempSync(join(tmpdir(), "whetstone-bench-lineage-"));
  try {
    const made = await makeLargeLedger(folder, examples);
    const questions = questionsOf(made);
    const seconds: Record<string, { median: number; largest: number }> = {};
    for (const [name, of] of Object.entries(questions)) {
      const took = Array.from({ length: askedTimes }, () => ask(folder, of));
      seconds[name] = { median: median(took), largest: Math.max(...took) };
    }
    const slowest = Math.max(...Object.values(seconds).map(({ largest }) => largest));
    const place = join(folder, ".whetstone");
    const indexMegabytes = megabytes(join(place, "lineage.sqlite"));
    for (const ending of ["", "-wal", "-shm"])
      rmSync(join(place, `lineage.sqlite${ending}`), { force: true });
    return {
      examples: made.examples,
      seconds,
      slowest,
      rebuildSeconds: ask(folder, questions.checkpoint ?? ""),
      recordSeconds: made.seconds,
      recordsMegabytes: sizeOf(join(place, "artifacts")),
      indexMegabytes,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function questionsOf({ written }: LargeLedger): Readonly<Record<string, string>> {
  return {
    checkpoint: "round-8",
    example: written.id.slice(0, 12),
    answer: written.answer,
    prompt: `"${written.prompt}"`,
    "unknown text": "nobody was ever asked this",
  };
}

/** Seconds of the whole command, from its start to its end. */
function ask(folder: string, of: string): number {
  const began = performance.now();
  try {
    execFileSync(process.execPath, [program, "trace", of, folder, "--json"], { stdio: "ignore" });
  } catch (error) {
    // A text that nothing has is answered with code 3.
    if ((error as { readonly status?: number }).status !== 3) throw error;
  }
  return (performance.now() - began) / 1000;
}

function measureCost(count: number): Cost {
  const pairs = Array.from({ length: count }, (_, index) => {
    const order = index % 2 === 0 ? (["on", "off"] as const) : (["off", "on"] as const);
    const done = Object.fromEntries(order.map((which) => [which, demoApart(which, index)]));
    const [on, off] = [done.on as DemoRun, done.off as DemoRun];
    const extra = on.brain_seconds - off.brain_seconds;
    return { on, off, ratio: on.wall_seconds / off.wall_seconds, brainShare: extra / off.wall_seconds };
  });
  return {
    pairs,
    medianRatio: median(pairs.map(({ ratio }) => ratio)),
    medianBrainShare: median(pairs.map(({ brainShare }) => brainShare)),
  };
}

function demoApart(which: "on" | "off", seed: number): DemoRun {
  const output = execFileSync(
    process.execPath,
    [import.meta.filename, "--demo", which, "--seed", String(seed)],
    { encoding: "utf8" },
  );
  return JSON.parse(output) as DemoRun;
}

async function demoRun(lineage: boolean): Promise<DemoRun> {
  const folder = mkdtempSync(join(tmpdir(), "whetstone-bench-lineage-"));
  try {
    const began = performance.now();
    await run(example.define({ seed: values.seed }), { folder, lineage });
    const wall = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage();
    return {
      wall_seconds: wall,
      brain_seconds: (user + system) / 1e6,
      records_megabytes: sizeOf(join(folder, ".whetstone/artifacts")),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tracedTable(traced: Traced): BenchTable {
  const { examples, seconds, slowest, rebuildSeconds, recordSeconds, recordsMegabytes, indexMegabytes } =
    traced;
  return {
    title: "Lineage: tracing in a large ledger",
    columns: ["what is traced", `seconds, median of ${askedTimes}`, "largest"],
    rows: Object.entries(seconds).map(([name, took]) => [
      name,
      took.median.toFixed(2),
      took.largest.toFixed(2),
    ]),
    verdict: `${isQuick(traced) ? "Passed" : "FAILED"}: with ${examples.toLocaleString("en-US")} examples the slowest of all answers of the whole command takes ${slowest.toFixed(2)} s (under a second). Records take ${recordsMegabytes.toFixed(0)} MB and ${recordSeconds.toFixed(1)} s to write, the index ${indexMegabytes.toFixed(0)} MB; where it is missing, the first answer takes ${rebuildSeconds.toFixed(1)} s.`,
  };
}

function costTable(cost: Cost): BenchTable {
  const { pairs, medianRatio, medianBrainShare } = cost;
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const ratios = pairs.map(({ ratio }) => ratio);
  return {
    title: "Lineage: what keeping it costs a run of the demo",
    columns: [
      "pair",
      "seconds with",
      "without",
      "ratio",
      "processor time more",
      "artifacts MB with",
      "without",
    ],
    rows: pairs.map(({ on, off, ratio, brainShare }, index) => [
      index + 1,
      on.wall_seconds.toFixed(1),
      off.wall_seconds.toFixed(1),
      ratio.toFixed(3),
      percent(brainShare),
      on.records_megabytes.toFixed(1),
      off.records_megabytes.toFixed(1),
    ]),
    verdict: `${isCheap(cost) ? "Passed" : "FAILED"}: the TypeScript side computes ${percent(medianBrainShare)} of the wall time more with lineage (the median pair; at most ${percent(mostBrainShare)}). Wall times differ by more than that by themselves: their ratios are ${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}, the median ${medianRatio.toFixed(3)}.`,
  };
}

function median(given: readonly number[]): number {
  const sorted = [...given].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [
    sorted[sorted.length % 2 === 0 ? middle - 1 : middle],
    sorted[middle],
  ];
  return (low + high) / 2;
}

function megabytes(path: string): number {
  return statSync(path).size / 1e6;
}

function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + megabytes(join(folder, name)), 0);
}
