/**
 * The engine's worker against plain PyTorch and transformers at the quickstart's sizes: alone, and two processes at once as
 * two peers train. Ratios of CPU time, each pair measured in turns in one process.
 */
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import { pythonTools } from "../scripts/python-tools.ts";
import { record, renderTable } from "./record.ts";

interface Pair {
  readonly case: string;
  readonly against: string;
  /** Tokens a CPU second. */
  readonly other: number;
  readonly engine: number;
}

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const { python, environment } = await pythonTools();
const engineFolder = join(import.meta.dirname, "..", "torch-engine");
const alone = await measure();
const together = await Promise.all([measure(), measure()]);
const pairs = alone.map((pair, index) => ({
  ...pair,
  ratio: ratioOf(pair),
  ratio_two_at_once: mean(together.map((run) => ratioOf(run[index] as Pair))),
}));
if (values.json) console.log(JSON.stringify(pairs));
const table = {
  columns: ["case", "against", "its tokens/s", "the engine's", "ratio", "two at once"],
  rows: pairs.map((pair) => [
    pair.case,
    pair.against,
    Math.round(pair.other),
    Math.round(pair.engine),
    pair.ratio.toFixed(2),
    pair.ratio_two_at_once.toFixed(2),
  ]),
};
const slowest = Math.min(...pairs.flatMap(({ ratio, ratio_two_at_once }) => [ratio, ratio_two_at_once]));
const verdict = `The engine is ${slowest >= 1 ? "never slower" : "slower somewhere"}: the smallest ratio is ${slowest.toFixed(2)}.`;
if (!values.json) console.log(`${renderTable(table)}\n\n${verdict}`);
record("engine", "npm run --silent bench:engine", {
  title: "The engine at small sizes, one thread, tokens a CPU second",
  ...table,
  verdict,
});
process.exitCode = slowest >= 1 ? 0 : 1;

function measure(): Promise<Pair[]> {
  const child = spawn(python, [join(import.meta.dirname, "engine-small.py")], {
    env: { ...environment, PYTHONPATH: [engineFolder, environment.PYTHONPATH].join(delimiter) },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let text = "";
  child.stdout.on("data", (piece: Buffer) => {
    text += piece.toString();
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(text) as Pair[]);
      else reject(new Error(`engine-small.py ended with exit code ${code}; run it by hand to see why`));
    });
  });
}

function ratioOf({ engine, other }: Pair): number {
  return engine / other;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}
