/**
 * `npm run bench:methods`: does every method move as it should? Three columns. *exact*: the first step of its update against its closed
 * form, on the exact engine. *mechanism*: one small transformer that plays all roles, a few rounds of each method at its defaults,
 * three seeds that nobody chose. *real*: a few of them on SmolLM2-135M. `--only star,grpo` takes some of them, `--column exact` one
 * column, `--seed N` one seed; `--rows FILE` keeps what was measured and goes on with it.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { methods } from "whetstone";
import { Bandits, type ExactRow, exact, exactTolerance } from "./methods/exact.ts";
import { type MethodRow, mechanism, pooled } from "./methods/mechanism.ts";
import { real, realMethods } from "./methods/real.ts";
import { type BenchTable, record, renderTable } from "./record.ts";
import { seedsOfCommit } from "./seeds.ts";

const columns = ["exact", "mechanism", "real"] as const;
type Column = (typeof columns)[number];
type Row = MethodRow | ExactRow;
type SeededRow = Row & { readonly seed: number };

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
  of: { column: Column; method: string; seed: number },
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
  console.error(
    `${of.column}: ${of.method}, seed ${of.seed}: ${row.before.toFixed(3)} → ${row.after.toFixed(3)}`,
  );
}

if (column === undefined || column === "exact") {
  await using bandits = await Bandits.open();
  for (const page of pages)
    await take({ column: "exact", method: page.name, seed: 0 }, () => exact(page, bandits));
}
for (const seed of seeds) {
  // One folder a seed: the base is prepared once, and every method begins with it.
  const folder = await mkdtemp(join(tmpdir(), "whetstone-methods-"));
  try {
    for (const page of pages) {
      const { name } = page;
      if (column === undefined || column === "mechanism")
        await take({ column: "mechanism", method: name, seed }, () => mechanism(page, seed, folder));
      if ((column === undefined || column === "real") && realMethods.includes(name) && seed === seeds[0])
        await take({ column: "real", method: name, seed }, () => real(name, seed, folder));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const rewardOf = (method: string): string => pages.find(({ name }) => name === method)?.reward ?? "";
const share = (value: number | null): string => (value === null ? "–" : value.toFixed(3));

const exactRows = rows.flatMap((row) => (row.column === "exact" ? [row] : []));
const differenceOf = ({ low, high }: ExactRow): number => Math.max(Math.abs(low), Math.abs(high));
const exactTable: BenchTable = {
  title: "Methods: the first step of each update against its closed form",
  columns: ["method", "closed form", "on the exact engine", "largest difference"],
  rows: exactRows.map((row) => [
    row.method,
    row.before.toFixed(5),
    row.after.toFixed(5),
    differenceOf(row).toExponential(1),
  ]),
  verdict: verdictOf(
    exactRows.filter((row) => !(differenceOf(row) <= exactTolerance)),
    `no update differs from its closed form by more than ${exactTolerance} of its greatest gradient`,
  ),
};

function trainedTable(which: "mechanism" | "real"): { readonly table: BenchTable; readonly failed: number } {
  const own = rows.flatMap((row) => (row.column === which ? [row] : []));
  const all = [...Map.groupBy(own, ({ method }) => method).values()].map((of) => pooled(of));
  /** With a verdict from outside a method must gain; derived from its own answers it must not lose where its majority is right. */
  const failed = all.filter(({ method, low, high }) => {
    const reward = rewardOf(method);
    return reward === "external" ? low <= 0 : which === "mechanism" && reward === "self-derived" && high <= 0;
  });
  const count = new Set(own.map(({ seed }) => seed)).size;
  return {
    failed: failed.length,
    table: {
      title:
        which === "mechanism"
          ? "Methods: what each makes of a small transformer that plays all roles"
          : "Methods: what some make of SmolLM2-135M on arithmetic in words",
      columns: [
        "method",
        "reward",
        "before",
        "after",
        "gain, 95 %",
        "distinct of 16",
        "gap",
        "labels right",
        "tokens",
      ],
      rows: all.map((row) => [
        row.method,
        rewardOf(row.method),
        share(row.before),
        share(row.after),
        `${row.low.toFixed(3)} to ${row.high.toFixed(3)}`,
        row.diversity?.toFixed(1) ?? "–",
        share(row.gap),
        share(row.label_accuracy),
        Math.round(row.tokens).toLocaleString("en-US"),
      ]),
      verdict: verdictOf(
        failed,
        `over ${count} ${count === 1 ? "seed" : "seeds"} every method with an external reward gains${which === "mechanism" ? ", and none without one loses" : ""}`,
      ),
    },
  };
}

function verdictOf(failed: readonly { readonly method: string }[], holds: string): string {
  return failed.length === 0
    ? `Holds: ${holds}.`
    : `Does not hold: ${failed.map(({ method }) => method).join(", ")}.`;
}

const tables = [
  ...(exactRows.length > 0
    ? [{ name: "exact", table: exactTable, failed: exactTable.verdict.startsWith("Does") ? 1 : 0 }]
    : []),
  ...(["mechanism", "real"] as const).flatMap((name) => {
    const made = trainedTable(name);
    return made.table.rows.length > 0 ? [{ name, ...made }] : [];
  }),
];
if (values.json)
  console.log(
    JSON.stringify({
      rows: [
        ...exactRows,
        ...(["mechanism", "real"] as const).flatMap((which) =>
          [
            ...Map.groupBy(
              rows.flatMap((row) => (row.column === which ? [row] : [])),
              ({ method }) => method,
            ).values(),
          ].map((of) => pooled(of)),
        ),
      ].map(({ seed: _, ...row }: Row & { seed?: number }) => row),
    }),
  );
else
  for (const { table } of tables)
    console.log(`${table.title}\n\n${renderTable(table)}\n\n${table.verdict}\n`);
if (wanted === undefined && values.seed === undefined)
  for (const { name, table } of tables)
    record(`methods-${name}`, `npm run --silent bench:methods -- --column ${name}`, table);
process.exitCode = tables.every(({ failed }) => failed === 0) ? 0 : 1;
