/**
 * A pretrained model on arithmetic in words, measured: how right it is before and after each round of learning from its own
 * right answers. One JSON object a seed, or three seeds and a verdict (shared criteria: from each seed the mean of the three
 * kinds reaches .55 in a run of 12 minutes, with a promotion and an audit gain whose interval excludes zero).
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Audit, auditRun, run } from "whetstone";
import example from "../examples/smollm/whetstone.config.ts";
import { runSeeds } from "./run-seeds.ts";

interface SmollmResult {
  readonly seed: number;
  /** Answered by each of the weights: audit sums and differences, and all products. */
  readonly items: number;
  /** Mean of the kinds, of the base and of the champion after each round. */
  readonly accuracy: readonly number[];
  readonly by_kind: Readonly<Record<string, readonly [before: number, after: number]>>;
  /** Of the run itself, champion against base; zeros where the base is still the champion. */
  readonly audit_gain: { readonly estimate: number; readonly low: number; readonly high: number };
  readonly wall_seconds: number;
}

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
/** Audit items of each kind; there are fewer differences, and all of them are asked. */
const perKind = 512;
const bars = { accuracy: 0.55, minutes: 12 };

await runSeeds({
  script: import.meta.filename,
  seed: values.seed,
  seeds: 3,
  json: values.json,
  measure: measureSmollm,
  tableOf,
  verdictOf,
  record: {
    name: "smollm",
    command: "npm run --silent bench:smollm",
    title: "A pretrained model on arithmetic in words, taught by its own right answers",
  },
});

async function measureSmollm(seed: number): Promise<SmollmResult> {
  const definition = example.define({ seed: String(seed) });
  const folder = await mkdtemp(join(tmpdir(), "whetstone-bench-"));
  try {
    const started = performance.now();
    const { events, gain } = await run(definition, { folder });
    const seconds = (performance.now() - started) / 1000;
    const champions = championsByRound(
      events.flatMap(({ event }) => (event.type === "candidate-promoted" ? [event.round] : [])),
      definition.budget.rounds,
    );
    const asked = [...new Set(champions)];
    const audits = await auditRun(definition, { folder, of: asked, perStratum: perKind });
    const auditOf = (round: number): Audit => audits[asked.indexOf(round)] as Audit;
    const [base, last] = [auditOf(0), auditOf(champions.at(-1) ?? 0)];
    return {
      seed,
      items: base.answers.length,
      accuracy: champions.map((round) => rounded(meanOfKinds(auditOf(round)))),
      by_kind: Object.fromEntries(
        base.measurement.strata.map(({ stratum, mean }, index) => [
          stratum,
          [rounded(mean), rounded(last.measurement.strata[index]?.mean ?? 0)] as const,
        ]),
      ),
      audit_gain: {
        estimate: rounded(gain?.mean ?? 0),
        low: rounded(gain?.interval.low ?? 0),
        high: rounded(gain?.interval.high ?? 0),
      },
      wall_seconds: rounded(seconds, 1),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The round that made the champion, before the first round and after each. */
function championsByRound(promoted: readonly number[], rounds: number): number[] {
  return Array.from({ length: rounds + 1 }, (_, round) => promoted.findLast((one) => one <= round) ?? 0);
}

/** Each kind counts the same, the enumerated products too. */
function meanOfKinds({ measurement: { strata } }: Audit): number {
  return strata.reduce((sum, { mean }) => sum + mean, 0) / strata.length;
}

function rounded(value: number, digits = 4): number {
  return Number(value.toFixed(digits));
}

function tableOf(rows: readonly SmollmResult[]) {
  const kinds = Object.keys(rows[0]?.by_kind ?? {});
  return {
    columns: ["seed", "items", "mean before", "after each round", ...kinds, "audit gain", "seconds"],
    rows: rows.map(({ seed, items, accuracy: [before = 0, ...after], by_kind, audit_gain, wall_seconds }) => [
      seed,
      items,
      before.toFixed(3),
      after.map((mean) => mean.toFixed(3)).join(", "),
      ...kinds.map((kind) => (by_kind[kind] ?? []).map((mean) => mean.toFixed(2)).join(" → ")),
      `${audit_gain.estimate.toFixed(3)} (${audit_gain.low.toFixed(3)} to ${audit_gain.high.toFixed(3)})`,
      wall_seconds,
    ]),
  };
}

function verdictOf(rows: readonly SmollmResult[]): { readonly passed: boolean; readonly text: string } {
  const failures: string[] = [];
  const expect = (holds: (row: SmollmResult) => boolean, what: string): void => {
    const failed = rows.filter((row) => !holds(row)).map(({ seed }) => seed);
    if (failed.length > 0) failures.push(`${what} (not with seed ${failed.join(", ")})`);
  };
  expect(
    ({ accuracy }) => (accuracy.at(-1) ?? 0) >= bars.accuracy,
    `the mean of the kinds reaches ${bars.accuracy}`,
  );
  expect(
    ({ wall_seconds: seconds }) => seconds <= 60 * bars.minutes,
    `a run takes at most ${bars.minutes} minutes`,
  );
  expect(
    ({ audit_gain: { low } }) => low > 0,
    "a round is promoted, and the audit gain's interval excludes zero",
  );
  const passed = failures.length === 0;
  return { passed, text: passed ? "Every bar holds." : `Does not hold: ${failures.join("; ")}.` };
}
