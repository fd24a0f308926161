import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { RunEvent, StoredEvent } from "../../foundation/contract/index.ts";
import { readLedger } from "../../foundation/ledger/index.ts";
import { projectFolder, runName } from "./arguments.ts";
import { chosenRun } from "./find-run.ts";
import { type Metric, metricsOf } from "./metrics/metrics-of.ts";

/** One number of a run. Tidy: a row a number, and the same columns in every row. */
export interface MetricRow extends Metric {
  readonly run: string;
  /** 0 is the preparation. */
  readonly round: number;
  /** When it was stored, as ISO 8601; for people: clocks may jump. */
  readonly at: string;
}

/** The columns of a table of metrics, in their order. */
export const metricColumns = [
  "run",
  "round",
  "kind",
  "who",
  "measure",
  "stratum",
  "value",
  "low",
  "high",
  "items",
  "unit",
  "word",
  "at",
] as const satisfies readonly (keyof MetricRow)[];

export interface MetricsOptions {
  /** The project folder; the current folder if left out. */
  readonly folder?: string;
  /** A run by its name; all runs of the folder if left out. */
  readonly run?: string;
}

const optionsSchema = z.strictObject({ folder: projectFolder, run: runName });

/**
 * Everything that a folder's runs have measured, in the order in which it was stored; the same ledger gives the same rows. May be
 * read beside a run. Throws a user error `no-run`.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "run-"));
 * const prepare = supervised({ on: demonstrations(), steps: 10, learningRate: 0.3 });
 * const definition = defineRun({ task: reverse({ lengths: [1, 4] }), engine: tabular(), prepare, budget: { rounds: 0 } });
 * await run(definition, { folder });
 * for (const { round, measure, value } of readMetrics({ folder })) console.log(round, measure, value);
 */
export function readMetrics(options: MetricsOptions = {}): MetricRow[] {
  const { folder, run } = readOptions("readMetrics()", optionsSchema, options);
  using ledger = readLedger({ folder });
  const runs = ledger?.runs() ?? [];
  const last = chosenRun(runs, run);
  const wanted = run === undefined ? runs : [last];
  return wanted.flatMap(({ id }) => rowsOf(id, ledger?.events(id) ?? []));
}

function rowsOf(run: string, events: readonly StoredEvent[]): MetricRow[] {
  let newest = 0;
  return events.flatMap(({ event, at }) => {
    newest = Math.max(newest, roundOf(event) ?? 0);
    const round = event.type === "run-finished" ? newest : (roundOf(event) ?? newest);
    const when = new Date(at).toISOString();
    return metricsOf(event).map((metric) => ({ run, round, ...metric, at: when }));
  });
}

function roundOf(event: RunEvent): number | undefined {
  return "round" in event ? event.round : undefined;
}

/**
 * A table of comma-separated values (RFC 4180, lines end with a line feed); null is an empty cell. A text that a spreadsheet would
 * take for a formula has an apostrophe before it.
 */
export function metricsCsv(rows: readonly MetricRow[]): string {
  const lines = rows.map((row) => metricColumns.map((column) => cellOf(row[column])).join(","));
  return [metricColumns.join(","), ...lines, ""].join("\n");
}

/** JSON lines: a row a line, its members in the order of the columns. */
export function metricsJsonl(rows: readonly MetricRow[]): string {
  return rows
    .map((row) => `${JSON.stringify(Object.fromEntries(metricColumns.map((name) => [name, row[name]])))}\n`)
    .join("");
}

/** What begins so is a formula to spreadsheets: https://owasp.org/www-community/attacks/CSV_Injection */
function unformulated(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

function cellOf(value: string | number | null): string {
  const text = typeof value === "string" ? unformulated(value) : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
