/**
 * The gate's proof by simulation: whole runs of openings in which nothing is better, and openings in which something is, played
 * through the gate's own function; gates that are wrong, which must be found out; and by how much the winner of several
 * candidates overstates itself. `--runs N` plays fewer; `--seed S`; `--json`.
 */
import { parseArgs } from "node:util";
import { controls } from "./gate/controls.ts";
import type { Job, Outcome } from "./gate/jobs.ts";
import { nullCases } from "./gate/null-cases.ts";
import {
  alpha,
  bars,
  cap,
  openings,
  type PowerCell,
  type PowerPlayed,
  powerCells,
  quantile,
} from "./gate/play.ts";
import { doJobs } from "./gate/pool.ts";
import { gateDigest } from "./gate/sources.ts";
import { type Contest, expectedOverstatement, type Played } from "./gate/winners-curse.ts";
import { type BenchTable, record, renderTable } from "./record.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 100) throw new Error("--runs takes a whole number from 100 up");
const strataOfRuns = [1, 3, 18] as const;
const runsOfJob = 20;
/** Where a gate that never promotes is found out. */
const plainCell: PowerCell = { r: 1, gain: 0.1, discordance: 0.25, strata: 1 };
const contests: readonly Contest[] = [16, 256].flatMap((items) =>
  [4, 5, 6, 7, 8].map((candidates) => ({ candidates, items })),
);
const contestTimes = 20 * runs;

const jobs: readonly Job[] = [
  ...Object.keys(nullCases).flatMap((name) =>
    strataOfRuns.flatMap((strata) =>
      runParts().map((part): Job => ({ kind: "null", case: name, strata, runs: part })),
    ),
  ),
  ...Object.entries(controls).flatMap(([control, { case: nullCase }]) =>
    nullCase === null
      ? [{ kind: "power" as const, cell: plainCell, times: runs, control }]
      : runParts().map((part): Job => ({ kind: "control", control, runs: part })),
  ),
  ...powerCells.map((cell): Job => ({ kind: "power", cell, times: runs })),
  ...contests.map((contest): Job => ({ kind: "contest", contest, times: contestTimes })),
];
const outcomes = await doJobs(jobs, values.seed);

const nullRows = Object.keys(nullCases).flatMap((name) =>
  strataOfRuns.map((strata) => {
    const wrong = wrongIn((job) => job.kind === "null" && job.case === name && job.strata === strata);
    return { case: name, strata, runs, promoted_share: wrong / runs, alpha };
  }),
);
const powerRows = powerCells.map((cell) => {
  const { power } = only((job) => job.kind === "power" && job.cell === cell);
  return { ...cell, ...ratiosOf(power as PowerPlayed) };
});
const controlRows = Object.entries(controls).map(([gate, { case: nullCase }]) => {
  if (nullCase === null) {
    const { power } = only((job) => job.kind === "power" && job.control === gate);
    const { median_ratio, p80_ratio } = ratiosOf(power as PowerPlayed);
    const shown = (power as PowerPlayed).pairs.filter(Number.isFinite).length / runs;
    const failed = !within(median_ratio, bars.median) || !within(p80_ratio, bars.p80);
    return { gate, failed, figure: shown, meaning: "openings with a true gain that it shows" };
  }
  const figure = wrongIn((job) => job.kind === "control" && job.control === gate) / runs;
  return { gate, failed: figure > alpha, figure, meaning: "runs without a gain that promote" };
});
const curseRows = contests.map((contest) => {
  const played = only((job) => job.kind === "contest" && job.contest === contest).contest as Played;
  const expected = expectedOverstatement(contest);
  /** The spread of one score: that of the winner's is less. */
  const error = 0.5 / Math.sqrt(contest.items * contestTimes);
  const matches = Math.abs(played.naive - expected) < 4 * error && Math.abs(played.audit) < 4 * error;
  return { ...contest, expected, naive: played.naive, audit: played.audit, matches };
});

const missed = [
  ...nullRows
    .filter(({ promoted_share }) => promoted_share > alpha)
    .map(({ case: name, strata, promoted_share }) => `${name}, ${strata} strata: ${promoted_share} of runs`),
  ...powerRows
    .filter((row) => !within(row.median_ratio, bars.median) || !within(row.p80_ratio, bars.p80))
    .map((row) => `a gain of ${row.gain} at ${row.discordance}, opening ${row.r}, ${row.strata} strata`),
  ...controlRows.filter(({ failed }) => !failed).map(({ gate }) => `a gate that ${gate} passes`),
  ...curseRows
    .filter(({ matches }) => !matches)
    .map(({ candidates, items }) => `the best of ${candidates} by ${items} items`),
];
if (values.json)
  console.log(
    JSON.stringify({ null: nullRows, power: powerRows, controls: controlRows, curse: curseRows, missed }),
  );
else show();
process.exitCode = missed.length === 0 ? 0 : 1;

function runParts(): (readonly [number, number])[] {
  return Array.from({ length: Math.ceil(runs / runsOfJob) }, (_, index) => [
    index * runsOfJob,
    Math.min(runs, (index + 1) * runsOfJob),
  ]);
}

function outcomesOf(chosen: (job: Job) => boolean): Outcome[] {
  return jobs.flatMap((job, index) => (chosen(job) ? [outcomes[index] as Outcome] : []));
}

function only(chosen: (job: Job) => boolean): Outcome {
  const [found, ...more] = outcomesOf(chosen);
  if (found === undefined || more.length > 0) throw new Error("not just one job fits");
  return found;
}

function wrongIn(chosen: (job: Job) => boolean): number {
  return outcomesOf(chosen).reduce((sum, { wrong = 0 }) => sum + wrong, 0);
}

/** Ratios to the fixed-size test's items; null where not so many openings ever showed the gain. */
function ratiosOf(played: PowerPlayed) {
  const ratio = (share: number): number | null => {
    const pairs = quantile(played, share);
    return Number.isFinite(pairs) ? Number((pairs / played.fixed).toFixed(3)) : null;
  };
  const shown = played.pairs.filter((pairs) => pairs <= cap).length;
  return {
    median_ratio: ratio(0.5),
    p80_ratio: ratio(0.8),
    fixed_pairs: played.fixed,
    shown_within_cap: shown / played.pairs.length,
    futile_share: played.futile / played.pairs.length,
  };
}

function within(ratio: number | null, bar: number): boolean {
  return ratio !== null && ratio <= bar;
}

function show(): void {
  for (const [name, table] of Object.entries(tables())) {
    console.log(`${table.title}\n\n${renderTable(table)}\n\n${table.verdict}\n`);
    if (runs === 1000)
      record(`gate-${name}`, "npm run --silent bench:gate", { ...table, sources: gateDigest() });
  }
  console.log(missed.length === 0 ? "Every bar holds." : `Does not hold: ${missed.join("; ")}.`);
}

function tables(): Readonly<Record<string, BenchTable>> {
  const shares = nullRows.map(({ promoted_share }) => promoted_share);
  return {
    null: {
      title: `The gate: of ${runs} runs of ${openings} openings without a true gain, the share that ever promotes`,
      columns: ["case", ...strataOfRuns.map((strata) => (strata === 1 ? "1 stratum" : `${strata} strata`))],
      rows: Object.keys(nullCases).map((name) => [
        name,
        ...nullRows.filter((row) => row.case === name).map(({ promoted_share }) => promoted_share.toFixed(3)),
      ]),
      verdict: `The greatest is ${Math.max(...shares).toFixed(3)}; the bar is α = ${alpha}.`,
    },
    power: {
      title: "The gate: items until a true gain is shown, against a fixed-size paired test of 80 % power",
      columns: ["gain", "discordance", ...[1, 8, 50].map((r) => `opening ${r}: median / p80 of fixed`)],
      rows: powerCells
        .filter(({ r, strata }) => r === 1 && strata === 1)
        .map(({ gain, discordance }) => [
          gain.toFixed(2),
          discordance.toFixed(2),
          ...[1, 8, 50].map((r) => {
            const rows = powerRows.filter(
              (row) => row.r === r && row.gain === gain && row.discordance === discordance,
            );
            const worst = (key: "median_ratio" | "p80_ratio"): string =>
              Math.max(...rows.map((row) => row[key] ?? Number.POSITIVE_INFINITY)).toFixed(2);
            return `${worst("median_ratio")} / ${worst("p80_ratio")} of ${rows[0]?.fixed_pairs}`;
          }),
        ]),
      verdict: powerVerdict(),
    },
    controls: {
      title: "The gate: gates that are wrong, and what finds them out",
      columns: ["a gate that", "share", "of", "found out"],
      rows: controlRows.map(({ gate, failed, figure, meaning }) => [
        gate,
        figure.toFixed(3),
        meaning,
        failed ? "yes" : "no",
      ]),
      verdict: `Bars: at most ${alpha} of runs without a gain, and a true gain of ${plainCell.gain} shown as fast as the gate shows it.`,
    },
    curse: {
      title: "The winner's curse: points by which the best of several equal candidates overstates itself",
      columns: ["candidates", "chosen by", "closed form", "played", "on items that chose nothing"],
      rows: curseRows.map(({ candidates, items, expected, naive, audit }) => [
        candidates,
        `${items} items`,
        (100 * expected).toFixed(1),
        (100 * naive).toFixed(1),
        (100 * audit).toFixed(1),
      ]),
      verdict: `Each is right on half of all items, and the contest is played ${contestTimes} times.`,
    },
  };
}

function powerVerdict(): string {
  const worst = (key: "median_ratio" | "p80_ratio"): string =>
    Math.max(...powerRows.map((row) => row[key] ?? Number.POSITIVE_INFINITY)).toFixed(2);
  const capped = powerRows.filter(({ shown_within_cap }) => shown_within_cap < 0.8);
  const cut = capped.map(({ gain, discordance, r }) => `${gain} at ${discordance}, opening ${r}`);
  const beyond =
    capped.length === 0
      ? ""
      : ` Openings went on beyond the default cap of ${cap} pairs, so that none was cut off; within it fewer than 80 % show a gain of ${[...new Set(cut)].join("; ")}.`;
  return `The worst of 1, 3 and 18 strata. The worst median is ${worst("median_ratio")} and the bar ${bars.median}; the worst 80th percentile ${worst("p80_ratio")} and the bar ${bars.p80}. The test is the one that needs fewer items, exact or by the normal approximation.${beyond}`;
}
