/**
 * `npm run bench:methods`: does every method move as it should? Three columns. *exact*: the first step of its update against its closed
 * form, on the exact engine. *mechanism*: one small transformer that plays all roles, a few rounds of each method at its defaults,
 * three seeds that nobody chose; beside it what the base knows, the same on a base that was taught some wrong answers, and curricula
 * without their filters. *real*: a few of them on SmolLM2-135M. `--only star,grpo` takes some of them, `--column exact` one
 * column, `--seed N` one seed; `--rows FILE` keeps what was measured and goes on with it; `--json` measures and prints the columns alone.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { methods } from "whetstone";
import { ceiling, ceilingWays } from "./methods/ceiling.ts";
import { Bandits, exact } from "./methods/exact.ts";
import { restsOnAnswers } from "./methods/given.ts";
import { type Base, mechanism } from "./methods/mechanism.ts";
import { real, realMethods } from "./methods/real.ts";
import { ofColumn, pooled, type Row, type SeededRow } from "./methods/rows.ts";
import { judgedTables } from "./methods/tables.ts";
import { unfiltered, withoutFilter } from "./methods/unfiltered.ts";
import { record, renderTable } from "./record.ts";
import { seedsOfCommit } from "./seeds.ts";

const columns = ["exact", "mechanism", "real"] as const;
/** With the verifier's verdict, on the base that was taught wrong answers: what the others cannot mend can be. */
const contrast = ["rejection-sampling", "grpo"];

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    column: { type: "string" },
    seed: { type: "string" },
    rows: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const wanted = values.only?.split(",");
const unknown = wanted?.filter((name) => !methods().some((page) => page.name === name)) ?? [];
if (unknown.length > 0)
  throw new Error(`there is no method ${unknown.join(", ")}; \`whetstone methods\` lists all`);
const column = columns.find((one) => one === values.column);
if (values.column !== undefined && column === undefined)
  throw new Error(`--column is one of ${columns.join(", ")}`);
const pages = methods().filter(({ name }) => wanted === undefined || wanted.includes(name));
const stored: readonly SeededRow[] =
  values.rows !== undefined && existsSync(values.rows)
    ? readFileSync(values.rows, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    : [];
const seedsBefore = [...new Set(stored.flatMap((row) => (row.column === "mechanism" ? [row.seed] : [])))];
const seeds =
  values.seed !== undefined
    ? [Number(values.seed)]
    : [...seedsBefore, ...seedsOfCommit(3)].slice(0, Math.max(3, seedsBefore.length));

const rows: SeededRow[] = [];
/** A row that was measured before, or that is measured now; kept at once, since all of them take long. */
async function take(
  of: { column: Row["column"]; method: string; seed: number },
  measure: () => Promise<Row>,
): Promise<void> {
  const before = stored.find(
    (row) => row.column === of.column && row.method === of.method && row.seed === of.seed,
  );
  if (before !== undefined) {
    rows.push(before);
    return;
  }
  const row = { ...(await measure()), seed: of.seed };
  rows.push(row);
  if (values.rows !== undefined) appendFileSync(values.rows, `${JSON.stringify(row)}\n`);
  const told = "accuracy" in row ? [row.accuracy] : [row.before, row.after];
  console.error(
    `${of.column}: ${of.method}, seed ${of.seed}: ${told.map((one) => one.toFixed(3)).join(" → ")}`,
  );
}

if (column === undefined || column === "exact") {
  await using bandits = await Bandits.open();
  for (const page of pages)
    await take({ column: "exact", method: page.name, seed: 0 }, () => exact(page, bandits));
}
/** Beside the column: what the bases know, what becomes of one that was taught wrong answers, and curricula without their filters. */
async function takeBeside(seed: number, folder: string): Promise<void> {
  const takeCeilings = async (base: Base): Promise<void> => {
    for (const way of ceilingWays)
      await take({ column: base === "misled" ? "misled-ceiling" : "ceiling", method: way, seed }, () =>
        ceiling(way, { base, seed, folder }),
      );
  };
  if (pages.some(({ reward }) => reward === "self-derived")) await takeCeilings("knowing");
  const misled = pages.filter((page) => restsOnAnswers(page) || contrast.includes(page.name));
  if (misled.length > 0) await takeCeilings("misled");
  for (const page of misled)
    await take({ column: "misled", method: page.name, seed }, () =>
      mechanism(page, { seed, folder, base: "misled" }),
    );
  for (const page of pages.filter(({ name }) => name in unfiltered))
    await take({ column: "unfiltered", method: page.name, seed }, () =>
      withoutFilter(page, { seed, folder }),
    );
}

for (const seed of seeds) {
  // One folder a seed: the base is prepared once, and every method begins with it.
  const folder = await mkdtemp(join(tmpdir(), "whetstone-methods-"));
  try {
    for (const page of pages) {
      const { name } = page;
      if (column === undefined || column === "mechanism")
        await take({ column: "mechanism", method: name, seed }, () => mechanism(page, { seed, folder }));
      if ((column === undefined || column === "real") && realMethods.includes(name) && seed === seeds[0])
        await take({ column: "real", method: name, seed }, () => real(name, seed, folder));
    }
    if ((column === undefined || column === "mechanism") && !values.json) await takeBeside(seed, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const tables = judgedTables(rows, pages);
if (values.json)
  console.log(
    JSON.stringify({
      rows: [
        ...ofColumn(rows, "exact"),
        ...(["mechanism", "real"] as const).flatMap((which) =>
          [...Map.groupBy(ofColumn(rows, which), ({ method }) => method).values()].map(pooled),
        ),
      ].map(({ seed: _, ...row }: Row & { seed?: number }) => row),
    }),
  );
else
  for (const { table } of tables)
    console.log(`${table.title}\n\n${renderTable(table)}\n\n${table.verdict}\n`);
if (wanted === undefined && values.seed === undefined)
  for (const { name, table } of tables)
    record(
      `methods-${name}`,
      `npm run --silent bench:methods -- --column ${columns.find((one) => one === name) ?? "mechanism"}`,
      table,
    );
process.exitCode = tables.every(({ failed }) => failed.length === 0) ? 0 : 1;
