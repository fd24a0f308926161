/**
 * The demo, measured: how far models teach themselves on labels that only they wrote, by filter. One JSON object a seed, or
 * eight seeds and a verdict (shared criteria: base lengths 1–8 mastered; peers reach length 17; without a filter errors
 * pile up, on each seed more than with peers, which are to be measured first at the same commit; without new labels
 * nothing moves).
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { auditRun, type Measurement, type RunEvent, run } from "whetstone";
import example from "../examples/reverse/whetstone.config.ts";
import { recorded } from "./record.ts";
import { runSeeds } from "./run-seeds.ts";

interface DemoResult {
  readonly seed: number;
  readonly filter: string;
  readonly control: string;
  readonly frontier_before: number;
  readonly frontier_after: number;
  readonly accuracy_by_length: readonly number[];
  readonly champion_accuracy_by_length: readonly number[];
  readonly base_accuracy_by_length: readonly number[];
  readonly raw_label_accuracy: readonly (number | null)[];
  readonly kept_label_accuracy: readonly (number | null)[];
  readonly promoted: readonly boolean[];
  readonly engine_busy: number;
  readonly wall_seconds: number;
  readonly brain_peak_mb: number;
}

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    filter: { type: "string", default: "peers" },
    control: { type: "string", default: "off" },
    seeds: { type: "string", default: "8" },
    json: { type: "boolean", default: false },
  },
});
// As the command line has it (src/surface/cli/main.ts), so that the memory that is measured is the memory that it takes.
setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--heap-growing-percent=30");
const arm = values.control === "off" ? values.filter : values.control;
const flags = `${values.filter === "peers" ? "" : ` --filter ${values.filter}`}${values.control === "off" ? "" : ` --control ${values.control}`}`;

await runSeeds({
  script: import.meta.filename,
  seed: values.seed,
  seeds: Number(values.seeds),
  json: values.json,
  flags: ["--filter", values.filter, "--control", values.control],
  measure: measureDemo,
  tableOf,
  verdictOf,
  record: {
    name: `demo-${arm}`,
    command: `npm run --silent bench:demo${flags === "" ? "" : ` --${flags}`}`,
    title: `Teaching itself longer strings: ${arm}`,
  },
});

async function measureDemo(seed: number): Promise<DemoResult> {
  const { filter, control } = values;
  const definition = example.define({ filter, control, seed: String(seed) });
  const folder = await mkdtemp(join(tmpdir(), "whetstone-bench-"));
  try {
    const { events } = await run(definition, { folder });
    const peak = process.resourceUsage().maxRSS / 1024;
    const all = events.map(({ event }) => event);
    const cost = all.findLast((event) => event.type === "cost-metered")?.cost;
    const training = all.filter((event) => event.type === "training-finished");
    const [base, champion, candidate] = await auditRun(definition, {
      folder,
      of: ["base", "champion", "candidate"],
      perStratum: 1024,
    });
    return {
      seed,
      filter,
      control,
      frontier_before: frontier(base?.measurement),
      frontier_after: frontier(candidate?.measurement),
      accuracy_by_length: byLength(candidate?.measurement),
      champion_accuracy_by_length: byLength(champion?.measurement),
      base_accuracy_by_length: byLength(base?.measurement),
      raw_label_accuracy: training.map(({ evidence }) => share(evidence.rawLabelAccuracy)),
      kept_label_accuracy: training.map(({ evidence }) => share(evidence.keptLabelAccuracy)),
      promoted: decisions(all).map(({ decision }) => decision.acted && decision.decision === "promote"),
      engine_busy: round(cost === undefined ? 0 : cost.busySeconds / cost.availableSeconds, 3),
      wall_seconds: round(cost?.wallSeconds ?? 0, 1),
      brain_peak_mb: Math.round(peak),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function decisions(events: readonly RunEvent[]) {
  return events.filter((event) => event.type === "decision-made");
}

function byLength(measurement: Measurement | undefined): number[] {
  return (measurement?.strata ?? []).map(({ mean }) => round(mean, 4));
}

function frontier(measurement: Measurement | undefined): number {
  return measurement?.frontier90 ?? 0;
}

function share(value: unknown): number | null {
  return typeof value === "number" ? round(value, 4) : null;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function tableOf(rows: readonly DemoResult[]) {
  return {
    columns: [
      "seed",
      "frontier",
      "base at 12",
      "length 12",
      "14",
      "16",
      "17",
      "18",
      "worst kept labels",
      "last raw labels",
      "promoted",
      "busy",
      "seconds",
      "brain MB",
    ],
    rows: rows.map((one) => [
      one.seed,
      `${one.frontier_before} → ${one.frontier_after}`,
      (one.base_accuracy_by_length[11] ?? 0).toFixed(2),
      ...[12, 14, 16, 17, 18].map((length) => (one.accuracy_by_length[length - 1] ?? 0).toFixed(2)),
      worst(one.kept_label_accuracy),
      one.raw_label_accuracy.at(-1)?.toFixed(3) ?? "–",
      one.promoted.filter(Boolean).length,
      one.engine_busy.toFixed(2),
      one.wall_seconds,
      one.brain_peak_mb,
    ]),
  };
}

function worst(shares: readonly (number | null)[]): string {
  const known = shares.filter((one) => one !== null);
  return known.length === 0 ? "–" : Math.min(...known).toFixed(3);
}

function verdictOf(rows: readonly DemoResult[]): { readonly passed: boolean; readonly text: string } {
  const failures: string[] = [];
  const expect = (holds: boolean, what: string): void => {
    if (!holds) failures.push(what);
  };
  expect(
    rows.every(({ base_accuracy_by_length: base }) => base.slice(0, 8).every((one) => one >= 0.99)),
    "base lengths 1–8 are at least .99 each",
  );
  expect(
    rows.every(({ base_accuracy_by_length: base }) => (base[11] ?? 1) <= 0.6),
    "base length 12 is at most .6",
  );
  if (arm === "peers") {
    const reached = rows.filter(({ frontier_after: after }) => after >= 17).length;
    expect(reached >= (7 / 8) * rows.length, "the frontier reaches 17 on at least 7 of 8 seeds");
    expect(
      rows.every(({ frontier_after: after }) => after >= 15),
      "the frontier is never below 15",
    );
    for (let length = 1; length <= 16; length++)
      expect(
        median(rows.map(({ accuracy_by_length: accuracy }) => accuracy[length - 1] ?? 0)) >= 0.97,
        `the median at length ${length} is at least .97`,
      );
    expect(
      rows.every(({ kept_label_accuracy: kept }) => kept.every((one) => one === null || one >= 0.995)),
      "kept labels are at least .995 right in every round",
    );
    expect(
      rows.every(({ engine_busy: busy }) => busy >= 0.85),
      "the engine is busy at least 85 % of the time",
    );
    expect(
      rows.every(({ brain_peak_mb: peak }) => peak < 300),
      "the TypeScript side stays under 300 MB",
    );
    expect(
      rows.every(({ wall_seconds: wall }) => wall <= 240),
      "a run takes at most 4 minutes",
    );
  }
  if (arm === "none") {
    expect(
      median(rows.map(({ raw_label_accuracy: raw }) => raw.at(-1) ?? 1)) <= 0.45,
      "the median of the last round's label accuracy is at most .45",
    );
    const peers = worstLabelsOfPeers();
    expect(
      rows.every(({ seed, raw_label_accuracy: raw }) => (raw.at(-1) ?? 1) < (peers.get(seed) ?? 0)),
      "the last round's label accuracy is below that of peers on every seed",
    );
  }
  if (arm === "base-only")
    expect(
      rows.every(
        ({ accuracy_by_length: after, base_accuracy_by_length: base }) =>
          Math.abs((after[11] ?? 0) - (base[11] ?? 1)) <= 0.15,
      ),
      "length 12 stays within .15 of where it was",
    );
  const passed = failures.length === 0;
  return { passed, text: passed ? "Every bar holds." : `Does not hold: ${failures.join("; ")}.` };
}

/** By seed, as they were recorded: of the labels that were kept, how many were right in the worst round. */
function worstLabelsOfPeers(): ReadonlyMap<number, number> {
  const { columns = [], rows = [] } = recorded("demo-peers") ?? {};
  const [seed, labels] = [columns.indexOf("seed"), columns.indexOf("worst kept labels")];
  return new Map(rows.map((row) => [Number(row[seed]), Number(row[labels])]));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2;
}
