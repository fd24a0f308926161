import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";

const results = join(import.meta.dirname, "results");
const page = join(import.meta.dirname, "..", "docs", "benchmarks.md");

export interface BenchTable {
  /** What was compared, in one sentence. */
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  /** What the numbers say, and against which bar. */
  readonly verdict: string;
  /** SHA-256 of the sources that were measured, where a test holds the record against them. */
  readonly sources?: string;
}

interface BenchRecord extends BenchTable {
  readonly command: string;
  readonly date: string;
  readonly machine: string;
}

/** Keeps a bench's numbers under its name, with the command, the date and the kind of machine, and writes docs/benchmarks.md anew. */
export function record(name: string, command: string, table: BenchTable): void {
  const machine = `${availableParallelism()} cores (${cpus()[0]?.model.trim() || process.arch}), ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const kept: BenchRecord = { command, date: new Date().toISOString().slice(0, 10), machine, ...table };
  mkdirSync(results, { recursive: true });
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(kept, null, 2)}\n`);
  writeFileSync(page, renderPage());
}

/** What a bench kept under its name the last time; null where it never ran. */
export function recorded(name: string): BenchTable | null {
  const path = join(results, `${name}.json`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as BenchRecord) : null;
}

function renderPage(): string {
  const records = readdirSync(results)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(results, name), "utf8")) as BenchRecord);
  return [
    "# Benchmarks",
    "",
    "Written by the benches themselves (`bench/record.ts`) from `bench/results/`; do not edit. Machines differ and are noisy:",
    "read ratios and shares, not seconds.",
    ...records.flatMap(renderRecord),
    "",
  ].join("\n");
}

function renderRecord({ title, columns, rows, verdict, command, date, machine }: BenchRecord): string[] {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  return [
    "",
    `## ${title}`,
    `\`${command}\`, ${date}, ${machine}`,
    "",
    line(columns),
    line(columns.map(() => "---")),
    ...rows.map(line),
    "",
    verdict,
  ];
}

/** A table for a terminal: columns as wide as their widest cell. */
export function renderTable({ columns, rows }: Pick<BenchTable, "columns" | "rows">): string {
  const all = [columns, ...rows].map((row) => row.map(String));
  const widths = columns.map((_, index) => Math.max(...all.map((row) => row[index]?.length ?? 0)));
  return all.map((row) => row.map((cell, index) => cell.padStart(widths[index] ?? 0)).join("  ")).join("\n");
}
