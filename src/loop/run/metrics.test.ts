import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openLedger } from "../../foundation/ledger/index.ts";
import { run } from "../run.ts";
import { type MetricRow, metricColumns, metricsCsv, metricsJsonl, readMetrics } from "./metrics.ts";
import { rollback } from "./rollback.ts";
import { promotingRun } from "./testing/last-letter.ts";

let folder: string;
let rows: readonly MetricRow[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "metrics-"));
  await run(promotingRun(2), { folder });
  await rollback({ folder, to: 1 });
  await run(promotingRun(1, { name: "other" }), { folder });
  rows = readMetrics({ folder });
});
afterAll(() => rmSync(folder, { recursive: true }));

const find = (wanted: Partial<MetricRow>, among = rows): MetricRow[] =>
  among.filter((row) =>
    Object.entries(wanted).every(([name, value]) => row[name as keyof MetricRow] === value),
  );

test("every number has a row, with the round, the measure and the part that it is of", () => {
  const [base] = find({ run: "1-letters", round: 0, kind: "validation", measure: "accuracy", stratum: "" });
  expect(base).toMatchObject({ who: "base", items: 64, unit: "share", word: "" });
  expect(base?.low).toBeLessThan(base?.value ?? 0);
  expect(base?.high).toBeGreaterThan(base?.value ?? 1);
  const [part] = find({ run: "1-letters", round: 2, kind: "validation", stratum: "length 5" });
  expect(part).toMatchObject({ who: "candidate", measure: "accuracy", items: 64 });
  expect(find({ run: "1-letters", kind: "audit", measure: "gain over base" })).toHaveLength(1);
  expect(find({ run: "1-letters", kind: "audit", measure: "gain over previous champion" })).toHaveLength(2);
  expect(find({ run: "1-letters", kind: "decision", measure: "promoted" }).map(({ value }) => value)).toEqual(
    [1, 1],
  );
  expect(
    find({ run: "1-letters", kind: "champion" }).map(({ round, value, word }) => [round, value, word]),
  ).toEqual([
    [1, 1, ""],
    [2, 2, ""],
    [2, 1, "rolled back"],
  ]);
  expect(find({ run: "1-letters", kind: "training", measure: "kept" }).map(({ round }) => round)).toEqual([
    1, 2,
  ]);
  const losses = find({ run: "1-letters", kind: "training", measure: "loss" });
  expect(losses.map(({ round, word, unit }) => [round, word, unit])).toEqual([
    ...[1, 2, 3, 4, 5].map((step) => [0, `step ${step}`, "per token"]),
    ...[1, 2].flatMap((round) => [1, 2, 3, 4, 5, 6].map((step) => [round, `step ${step}`, "per token"])),
  ]);
  expect(losses[4]?.value).toBeLessThan(losses[0]?.value ?? 0);
  expect(
    find({ run: "1-letters", kind: "cost", measure: "optimizerSteps" }).map(({ value }) => value),
  ).toEqual([5, 11, 17, 17]);
});

test("the same ledger gives the same rows, run by run", () => {
  expect(readMetrics({ folder })).toEqual(rows);
  expect([...new Set(rows.map(({ run: id }) => id))]).toEqual(["1-letters", "2-other"]);
  expect(readMetrics({ folder, run: "2-other" })).toEqual(find({ run: "2-other" }));
  expect(() => readMetrics({ folder, run: "3-other" })).toThrow("did you mean 2-other?");
});

test("a folder without a run has none", () => {
  const empty = mkdtempSync(join(tmpdir(), "metrics-empty-"));
  expect(() => readMetrics({ folder: empty })).toThrow("There is no run here yet");
  // A ledger without a run, too: a run that was refused before it began.
  openLedger({ folder: empty })[Symbol.dispose]();
  expect(() => readMetrics({ folder: empty })).toThrow("There is no run here yet");
  rmSync(empty, { recursive: true });
});

test("a table keeps what stands in its cells", () => {
  const row: MetricRow = {
    run: "1-x",
    round: 1,
    kind: "guard",
    who: "",
    measure: 'says "no", twice',
    stratum: "a\nb",
    value: -0.5,
    low: null,
    high: null,
    items: null,
    unit: "",
    word: "",
    at: "2025-11-03T09:30:00.000Z",
  };
  expect(metricsCsv([row])).toBe(
    `${metricColumns.join(",")}\n1-x,1,guard,,"says ""no"", twice","a\nb",-0.5,,,,,,2025-11-03T09:30:00.000Z\n`,
  );
  const formulas = ["=1+1", "+1", "-1", "@sum(a)", "\tx", "a=1", "", "'x"].map((stratum) => ({
    ...row,
    stratum,
  }));
  expect(
    metricsCsv(formulas)
      .split("\n")
      .slice(1, -1)
      .map((line) => line.split(",").slice(6, 8)),
  ).toEqual(["'=1+1", "'+1", "'-1", "'@sum(a)", "'\tx", "a=1", "", "'x"].map((cell) => [cell, "-0.5"]));
  expect(metricsJsonl(formulas)).toContain('"stratum":"=1+1"');
  expect(metricsJsonl([row, row]).split("\n")).toHaveLength(3);
  expect(JSON.parse(metricsJsonl([row]))).toEqual(row);
  expect(Object.keys(JSON.parse(metricsJsonl([row])))).toEqual([...metricColumns]);
  expect(metricsCsv([])).toBe(`${metricColumns.join(",")}\n`);
});
