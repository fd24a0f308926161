import { execFileSync } from "node:child_process";
import { type BenchTable, record, renderTable } from "./record.ts";
import { seedsOfCommit } from "./seeds.ts";

export interface SeededBench<R extends { readonly seed: number }> {
  /** The bench's own file, `import.meta.filename`: each seed of several is measured by it in a process of its own. */
  readonly script: string;
  /** What was asked for: one seed, or as many as the bench takes where none is named. */
  readonly seed: string | undefined;
  readonly seeds: number;
  /** One JSON object a seed, and the verdict last. */
  readonly json: boolean;
  /** What else a process that measures one seed must be told. */
  readonly flags?: readonly string[];
  readonly measure: (seed: number) => Promise<R>;
  readonly tableOf: (rows: readonly R[]) => Pick<BenchTable, "columns" | "rows">;
  readonly verdictOf: (rows: readonly R[]) => { readonly passed: boolean; readonly text: string };
  /** Under which name several seeds are kept, which command makes them again, and what they show. */
  readonly record: { readonly name: string; readonly command: string; readonly title: string };
}

/**
 * Measures one seed and prints it; or several, each in a process of its own, so that none finds memory and caches of the one before
 * it, and then the verdict, which is recorded and becomes the exit code.
 */
export async function runSeeds<R extends { readonly seed: number }>(bench: SeededBench<R>): Promise<void> {
  const { seed, json, measure, tableOf, verdictOf } = bench;
  const done: R[] = [];
  for (const one of seed === undefined ? seedsOfCommit(bench.seeds) : [Number(seed)]) {
    const result = seed === undefined ? measureApart(bench, one) : await measure(one);
    done.push(result);
    console.log(json ? JSON.stringify(result) : renderTable(tableOf([result])));
  }
  if (seed !== undefined) return;
  const verdict = verdictOf(done);
  if (json) console.log(JSON.stringify({ verdict }));
  else console.log(`\n${renderTable(tableOf(done))}\n\n${verdict.text}`);
  const { name, command, title } = bench.record;
  record(name, command, { title, ...tableOf(done), verdict: verdict.text });
  process.exitCode = verdict.passed ? 0 : 1;
}

function measureApart<R extends { readonly seed: number }>(
  { script, flags = [] }: SeededBench<R>,
  seed: number,
): R {
  const output = execFileSync(process.execPath, [script, "--seed", String(seed), ...flags, "--json"], {
    encoding: "utf8",
  });
  return JSON.parse(output) as R;
}
