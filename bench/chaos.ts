/**
 * `npm run bench:chaos`: runs that are killed with SIGKILL, the command and its workers, must end with the ledger and the weights
 * of a run that nobody touched, bit for bit, and do little of their work twice. A hundred kills on the tabular engine and twenty
 * on PyTorch, which alone is kept in bench/results; `--kills N` divides N alike, `--engine tabular` or `local` asks one alone;
 * `--seed S`, `--json`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Chaos, type ChaosEngine, type Killed, uniformOf } from "./chaos/kill-runs.ts";
import { type BenchTable, record, renderTable } from "./record.ts";

/** Of a run's work, on average a kill. */
const mostRedone = 0.1;
const fullKills = 120;
/** So many kills on a table leave some of them to chance when a run dies at all boundaries, too. */
const fewestWithBoundaries = 80;

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: String(fullKills) },
    seed: { type: "string", default: "0" },
    engine: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const [kills, seed] = [wholeNumber("kills", 1), wholeNumber("seed", 0)];
const engine = engineAsked();
const onLocal = engine === undefined ? Math.round(kills / 6) : engine === "local" ? kills : 0;

interface Part extends Killed {
  readonly engine: ChaosEngine;
  readonly at: "boundaries" | "random";
}

const root = mkdtempSync(join(tmpdir(), "whetstone-chaos-"));
const done = [...(await killed("tabular", kills - onLocal)), ...(await killed("local", onLocal))];
const { boundaries = [], random = [] } = Object.groupBy(done, ({ at }) => at);
const result = {
  kills: sum(done, (one) => one.kills),
  by: { cli: sum(done, ({ by }) => by.cli), worker: sum(done, ({ by }) => by.worker) },
  ledger_equal: done.every(({ ledgerEqual }) => ledgerEqual),
  weights_equal: done.every(({ weightsEqual }) => weightsEqual),
  redone_share: redoneOf(done),
  random: { kills: sum(random, (one) => one.kills), redone_share: redoneOf(random) },
  boundaries: { kills: sum(boundaries, (one) => one.kills), redone_share: redoneOf(boundaries) },
};
const failures = [
  ...(result.kills === kills ? [] : [`${result.kills} kills were done of ${kills}`]),
  ...(result.ledger_equal ? [] : ["a ledger is another"]),
  ...(result.weights_equal ? [] : ["weights are others"]),
  // Nothing is done twice at half of the boundaries: chance is judged by itself.
  ...[...new Set([redoneOf(done), redoneOf(random)])].flatMap((share) =>
    share === null || share <= mostRedone ? [] : [`${percent(share)} of a run was done again a kill`],
  ),
];
const table = tableOf();
if (values.json) {
  console.log(JSON.stringify(result));
  for (const failure of failures) console.error(failure);
} else {
  console.log(`${renderTable(table)}\n${table.verdict}`);
  if (boundaries.length === 0) console.log(`No run died at boundaries: ${whyNoBoundaries()}.`);
}
for (const folder of done.flatMap(({ different }) => different))
  console.error(`came to another end: ${folder}`);
if (kills === fullKills && engine === undefined && seed === 0 && failures.length === 0)
  record("chaos", "npm run --silent bench:chaos", table);
if (failures.length === 0) rmSync(root, { recursive: true, force: true });
process.exitCode = failures.length === 0 ? 0 : 1;

/** A table's run also dies at every boundary of a durable step, while that leaves some of the kills to chance. */
async function killed(on: ChaosEngine, count: number): Promise<Part[]> {
  if (count === 0) return [];
  const place = (name: string, rounds: number): Chaos =>
    new Chaos({ engine: on, root: join(root, `${on}-${name}`), rounds, uniform: uniformOf(seed, on) });
  const parts: Part[] = [];
  if (on === "tabular" && count >= fewestWithBoundaries)
    parts.push({ engine: on, at: "boundaries", ...(await place("boundaries", 1).atBoundaries()) });
  const left = count - sum(parts, (one) => one.kills);
  if (left > 0) parts.push({ engine: on, at: "random", ...(await place("random", 2).atRandom(left)) });
  return parts;
}

function tableOf(): BenchTable {
  const of = (all: readonly Part[], is: (one: Part) => boolean): string =>
    all.every(is) ? "equal" : "OTHER";
  const places = { boundaries: "at boundaries of steps", random: "at random" };
  const share = percent(redoneOf(random) ?? redoneOf(done) ?? 0);
  return {
    title: "Chaos: runs that are killed with SIGKILL, against one that nobody touched",
    columns: [
      "engine, where",
      "kills",
      "of the command",
      "of a worker",
      "ledger",
      "weights",
      "redone a kill",
    ],
    rows: done.map((one) => [
      `${one.engine}, ${places[one.at]}`,
      one.kills,
      one.by.cli,
      one.by.worker,
      of([one], ({ ledgerEqual }) => ledgerEqual),
      of([one], ({ weightsEqual }) => weightsEqual),
      percent(one.redoneShare),
    ]),
    verdict:
      failures.length === 0
        ? `Passed: after ${result.kills} kills every ledger and all weights are equal, bit for bit; a kill at random costs ${share} of a run's work on average (at most ${percent(mostRedone)}).`
        : `FAILED: ${failures.join("; ")}.`,
  };
}

function whyNoBoundaries(): string {
  return engine === "local"
    ? "only tables do"
    : `that takes ${fewestWithBoundaries} kills on tables, and there were ${kills - onLocal}`;
}

/** Work done again, as a share of a whole run's: the mean over kills; null of none. */
function redoneOf(parts: readonly Part[]): number | null {
  const all = sum(parts, (one) => one.kills);
  return all === 0 ? null : sum(parts, (one) => one.redoneShare * one.kills) / all;
}

function sum(parts: readonly Part[], of: (one: Part) => number): number {
  return parts.reduce((total, one) => total + of(one), 0);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function wholeNumber(name: "kills" | "seed", least: number): number {
  const value = Number(values[name]);
  if (!/^\d+$/.test(values[name]) || value < least)
    throw new Error(`--${name} takes a whole number from ${least} up`);
  return value;
}

function engineAsked(): ChaosEngine | undefined {
  const { engine: asked } = values;
  if (asked !== undefined && asked !== "tabular" && asked !== "local")
    throw new Error("--engine takes tabular or local; left out, both are asked");
  return asked;
}
