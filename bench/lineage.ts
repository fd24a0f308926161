/**
 * Lineage, measured: how long `whetstone trace` takes on a ledger of a million examples (a second at most), and what keeping lineage
 * costs a run of the demo, with and without it in pairs (5 % of its wall time at most). `--part trace|cost` does one of the two.
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

const { values } = parseArgs({
  options: {
    part: { type: "string", default: "both" },
    examples: { type: "string", default: "1000000" },
    pairs: { type: "string", default: "4" },
    json: { type: "boolean", default: false },
    /** One run of the demo, in a process of its own: `on` or `off`. */
    demo: { type: "string" },
    seed: { type: "string", default: "0" },
  },
});

const program = join(import.meta.dirname, "..", "bin", "whetstone.js");
/** Each question is asked so often, by a process of its own. */
const askedTimes = 5;

interface Traced {
  readonly examples: number;
  /** Median seconds of the whole command, by what is traced. */
  readonly seconds: Readonly<Record<string, number>>;
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

interface Cost {
  readonly pairs: readonly { readonly on: DemoRun; readonly off: DemoRun; readonly ratio: number }[];
  readonly medianRatio: number;
  /** Of processor time of the TypeScript side, as a share of the wall time without lineage. */
  readonly brainShare: number;
}

if (values.demo !== undefined) console.log(JSON.stringify(await demoRun(values.demo === "on")));
else await main();

async function main(): Promise<void> {
  const traced = values.part === "cost" ? undefined : await measureTraces(Number(values.examples));
  if (traced !== undefined) say("lineage", traced, tracedTable(traced));
  const cost = values.part === "trace" ? undefined : measureCost(Number(values.pairs));
  if (cost !== undefined) say("lineage-cost", cost, costTable(cost));
  const failed = (traced?.slowest ?? 0) >= 1 || (cost?.medianRatio ?? 1) > 1.05;
  process.exitCode = failed ? 1 : 0;
}

function say(name: string, measured: Traced | Cost, table: BenchTable): void {
  console.log(
    values.json ? JSON.stringify({ [name]: measured }) : `${renderTable(table)}\n${table.verdict}\n`,
  );
  record(name, "npm run --silent bench:lineage", table);
}

async function measureTraces(examples: number): Promise<Traced> {
  const folder = mkdtempSync(join(tmpdir(), "whetstone-bench-lineage-"));
  try {
    const made = await makeLargeLedger(folder, examples);
    const questions = questionsOf(made);
    const seconds: Record<string, number> = {};
    let slowest = 0;
    for (const [name, of] of Object.entries(questions)) {
      const took = Array.from({ length: askedTimes }, () => ask(folder, of));
      seconds[name] = median(took);
      slowest = Math.max(slowest, seconds[name]);
    }
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
    return { on, off, ratio: on.wall_seconds / off.wall_seconds };
  });
  const extra = pairs.map(({ on, off }) => (on.brain_seconds - off.brain_seconds) / off.wall_seconds);
  return { pairs, medianRatio: median(pairs.map(({ ratio }) => ratio)), brainShare: median(extra) };
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
    columns: ["what is traced", "seconds, median of 5"],
    rows: Object.entries(seconds).map(([name, took]) => [name, took.toFixed(2)]),
    verdict: `${slowest < 1 ? "Passed" : "FAILED"}: with ${examples.toLocaleString("en-US")} examples every answer of the whole command comes in under a second. Records take ${recordsMegabytes.toFixed(0)} MB and ${recordSeconds.toFixed(1)} s to write, the index ${indexMegabytes.toFixed(0)} MB; where it is missing, the first answer takes ${rebuildSeconds.toFixed(1)} s.`,
  };
}

function costTable({ pairs, medianRatio, brainShare }: Cost): BenchTable {
  return {
    title: "Lineage: what keeping it costs a run of the demo",
    columns: ["pair", "seconds with", "without", "ratio", "artifacts MB with", "without"],
    rows: pairs.map(({ on, off, ratio }, index) => [
      index + 1,
      on.wall_seconds.toFixed(1),
      off.wall_seconds.toFixed(1),
      ratio.toFixed(3),
      on.records_megabytes.toFixed(1),
      off.records_megabytes.toFixed(1),
    ]),
    verdict: `${medianRatio <= 1.05 ? "Passed" : "FAILED"}: the median run takes ${medianRatio.toFixed(3)} of its time without lineage (at most 1.05); the TypeScript side computes ${(100 * brainShare).toFixed(1)} % of that time more.`,
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
