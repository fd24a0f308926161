/**
 * Closed-form results about models that learn from themselves, each against a simulation that is judged by the statistics that
 * runs are judged by. Five seeds that nobody chose, or `--seed N`; `--only NAME,NAME`; `--json`; `--record` keeps the table in
 * docs/benchmarks.md and the pictures in docs/theory.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { record, renderTable } from "./record.ts";
import { seedsOfCommit } from "./seeds.ts";
import { drawPicture } from "./theory/picture.ts";
import type { Row } from "./theory/row.ts";
import { theories } from "./theory/theories.ts";
import { measureTheory, type TheoryResult } from "./theory/theory.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    seed: { type: "string" },
    json: { type: "boolean", default: false },
    record: { type: "boolean", default: false },
  },
});
const wanted = values.only?.split(",") ?? Object.keys(theories);
for (const name of wanted)
  if (!Object.hasOwn(theories, name))
    throw new Error(`--only takes some of ${Object.keys(theories).join(",")}`);
if (values.record && (values.only !== undefined || values.seed !== undefined))
  throw new Error("--record keeps all results of five seeds: leave out --only and --seed");
const seeds = values.seed === undefined ? seedsOfCommit(5) : [values.seed];
const pictures = join(import.meta.dirname, "..", "docs", "theory");

const columns = ["quantity", "predicted", "measured", "95 % interval", "tolerance", "holds"];
const results: TheoryResult[] = [];
for (const name of wanted) {
  const theory = await theories[name]?.();
  if (theory === undefined) continue;
  const result = await measureTheory(theory, seeds);
  results.push(result);
  if (!values.json)
    console.log(
      `${theory.title} (${theory.source}), ${result.seconds.toFixed(1)} s\n${renderTable({ columns, rows: tableOf(result) })}\n`,
    );
  if (!values.record) continue;
  const found = (key: string): Row => result.rows.find((row) => row.key === key) as Row;
  mkdirSync(pictures, { recursive: true });
  writeFileSync(join(pictures, `${name}.svg`), drawPicture(theory.picture(found)));
}
const failed = results.filter(({ holds }) => !holds).map(({ name }) => name);
const verdict =
  failed.length === 0
    ? `All ${results.reduce((sum, { rows }) => sum + rows.length, 0)} quantities hold, and none of ${results.reduce((sum, { controls }) => sum + controls.length, 0)} controls does.`
    : `Does not hold: ${failed.join(", ")}.`;
console.log(values.json ? JSON.stringify({ seeds, results }) : verdict);
if (values.record)
  record("theory", "npm run --silent bench:theory -- --record", {
    title: "Theory: closed forms, and what our statistics measure",
    columns: ["result", ...columns],
    rows: results.flatMap((result) => tableOf(result).map((row) => [result.name, ...row])),
    verdict: `${verdict} Controls are formulas and intervals that are wrong on purpose (docs/theory.md).`,
  });
process.exitCode = failed.length === 0 ? 0 : 1;

/** What is told of a result, then its coverage, then its controls. */
function tableOf({ rows, coverage, controls }: TheoryResult): (string | number)[][] {
  return [
    ...rows.filter(({ told }) => told).map((row) => cellsOf(row, row.holds ? "yes" : "NO")),
    cellsOf(coverage, coverage.holds ? "yes" : "NO"),
    ...controls.map((row) =>
      cellsOf({ ...row, what: `control: ${row.what}` }, row.holds ? "YES, WRONGLY" : "no, as it must"),
    ),
  ];
}

function cellsOf({ what, relation, predicted, measured, interval, tolerance }: Row, holds: string): string[] {
  const sign = relation === "equal" ? "" : relation === "at least" ? "≥ " : "≤ ";
  return [
    what,
    sign + number(predicted),
    number(measured),
    `${number(interval.low)} to ${number(interval.high)}`,
    `±${number(tolerance)}`,
    holds,
  ];
}

function number(value: number): string {
  return value.toFixed(3).replace("-", "−");
}
