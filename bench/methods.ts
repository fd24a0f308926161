/**
 * `npm run bench:methods`: does every method move as it should? One small transformer that plays all roles, a few rounds of each
 * method at its defaults, three seeds that nobody chose. `--only star,grpo` takes some of them, `--seed N` one seed.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { methods } from "whetstone";
import { type MethodRow, mechanism, pooled } from "./methods/mechanism.ts";
import { record, renderTable } from "./record.ts";
import { seedsOfCommit } from "./seeds.ts";

const { values } = parseArgs({
  options: { only: { type: "string" }, seed: { type: "string" }, json: { type: "boolean", default: false } },
});
const wanted = values.only?.split(",");
const unknown = wanted?.filter((name) => !methods().some((page) => page.name === name)) ?? [];
if (unknown.length > 0)
  throw new Error(`there is no method ${unknown.join(", ")}; \`whetstone methods\` lists all`);
const pages = methods().filter(({ name }) => wanted === undefined || wanted.includes(name));
const seeds = values.seed === undefined ? seedsOfCommit(3) : [Number(values.seed)];

const made = new Map<string, MethodRow[]>();
for (const seed of seeds) {
  // One folder a seed: the base is prepared once, and every method begins with it.
  const folder = await mkdtemp(join(tmpdir(), "whetstone-methods-"));
  try {
    for (const page of pages) {
      const row = await mechanism(page, seed, folder);
      made.set(page.name, [...(made.get(page.name) ?? []), row]);
      console.error(`${page.name}, seed ${seed}: ${row.before.toFixed(3)} → ${row.after.toFixed(3)}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
const rows = [...made.values()].map(pooled);

/** With a verdict from outside a method must gain; derived from its own answers it must not lose here, where its majority is right. */
const passes = ({ method, low, high }: MethodRow): boolean => {
  const reward = pages.find(({ name }) => name === method)?.reward;
  return reward === "external" ? low > 0 : reward === "self-derived" ? high > 0 : true;
};
const failed = rows.filter((row) => !passes(row));
const share = (value: number | null): string => (value === null ? "–" : value.toFixed(3));
const table = {
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
  rows: rows.map((row) => [
    row.method,
    pages.find(({ name }) => name === row.method)?.reward ?? "",
    share(row.before),
    share(row.after),
    `${row.low.toFixed(3)} to ${row.high.toFixed(3)}`,
    row.diversity?.toFixed(1) ?? "–",
    share(row.gap),
    share(row.label_accuracy),
    Math.round(row.tokens).toLocaleString("en-US"),
  ]),
};
const verdict =
  failed.length === 0
    ? `Holds: over ${seeds.length} seeds every method with an external reward gains, and none without one loses.`
    : `Does not hold: ${failed.map(({ method }) => method).join(", ")}.`;
if (values.json) console.log(JSON.stringify({ rows }));
else console.log(`${renderTable(table)}\n\n${verdict}`);
if (wanted === undefined && values.seed === undefined)
  record("methods", "npm run --silent bench:methods", {
    title: "Methods: what each makes of a small transformer that plays all roles",
    ...table,
    verdict,
  });
process.exitCode = failed.length === 0 ? 0 : 1;
