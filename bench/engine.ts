/**
 * How fast the engine is beside what people would otherwise use, and how much memory it takes: its worker's code against
 * plain PyTorch and transformers at the quickstart's sizes, the engine against transformers' `generate` and Trainer and
 * against TRL's trainers, and against the products of matrices that this machine can do.
 * `--only PART,PART` runs some parts, which are printed and not recorded; `--rounds N` takes more pairs; `--json`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Engine, local } from "whetstone";
import type { EngineBench } from "./engine/engine-bench.ts";
import { peerEnvironment } from "./engine/environment.ts";
import { grpoRows } from "./engine/grpo.ts";
import { memoryRows, soakRows } from "./engine/memory.ts";
import { type BenchModel, benchModel } from "./engine/model.ts";
import { peakRows } from "./engine/peak.ts";
import type { Row } from "./engine/row.ts";
import { samplingRows, smallSamplingRows } from "./engine/sampling.ts";
import { smallDecoderRows } from "./engine/small-decoder.ts";
import { smallModel } from "./engine/small-model.ts";
import { smallTrainingRows, supervisedRows } from "./engine/supervised.ts";
import { trainingRows } from "./engine/training.ts";
import { record, renderTable } from "./record.ts";

/** How many steps the soak takes. */
const soakSteps = 10_000;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
    soak: { type: "string", default: String(soakSteps) },
  },
});
const rounds = wholeNumber("rounds", 1);
const soak = wholeNumber("soak", 100);
const logFolder = await mkdtemp(join(tmpdir(), "whetstone-bench-logs-"));

/** Each with an engine of its own, which nothing before it has warmed or filled. */
const parts: Readonly<Record<string, () => Promise<Row[]>>> = {
  small: async () => smallDecoderRows(await peerEnvironment()),
  "small-training": () => compare(smallTrainingRows, smallModel),
  "small-sampling": () => compare(smallSamplingRows, smallModel),
  sampling: () => compare(samplingRows, benchModel),
  training: () => compare(trainingRows, benchModel),
  supervised: () => compare(supervisedRows, benchModel),
  grpo: () => compare(grpoRows, benchModel),
  peak: () => compare(peakRows, benchModel),
  memory: () => withModel(benchModel, (model) => memoryRows({ model, logFolder })),
  soak: () => withModel(smallModel, (model) => soakRows({ model, logFolder }, soak)),
};
const wanted = values.only?.split(",") ?? Object.keys(parts);
for (const part of wanted)
  if (!Object.hasOwn(parts, part)) throw new Error(`--only takes some of ${Object.keys(parts).join(",")}`);

const rows: Row[] = [];
for (const part of wanted) rows.push(...((await parts[part]?.()) ?? []));
await rm(logFolder, { recursive: true, force: true });

const missed = rows.filter(({ ratio, bar }) => bar !== null && !(ratio >= bar));
const table = {
  columns: ["work", "against", "setting", "ratio", "bar"],
  rows: rows.map(({ work, against, setting, ratio, bar }) => [
    work,
    against,
    setting,
    ratio.toFixed(2),
    bar ?? "none",
  ]),
};
const verdict =
  missed.length === 0
    ? "Holds: no ratio is below its bar."
    : `Does not hold: ${missed.map(({ work, against, ratio, bar }) => `${work} against ${against} is ${ratio.toFixed(2)}, and the bar is ${bar}`).join("; ")}.`;
if (values.json) console.log(JSON.stringify({ rows }));
else console.log(`${renderTable(table)}\n\n${verdict}`);
if (values.only === undefined && soak === soakSteps)
  record("engine", "npm run --silent bench:engine", {
    title:
      "How many times as fast the engine is, and how much of the memory that it may take goes into what it takes",
    ...table,
    verdict,
  });
process.exitCode = missed.length === 0 ? 0 : 1;

async function compare(
  rowsOf: (bench: EngineBench) => Promise<Row[]>,
  modelOf: (engine: Engine) => Promise<BenchModel>,
): Promise<Row[]> {
  const environment = await peerEnvironment();
  await using engine = await local().open({ logFolder });
  await using model = await modelOf(engine);
  return await rowsOf({ engine, model, environment, rounds });
}

/** The engine that made the model is gone when it is used. */
async function withModel(
  modelOf: (engine: Engine) => Promise<BenchModel>,
  rowsOf: (model: BenchModel) => Promise<Row[]>,
): Promise<Row[]> {
  await using made = new AsyncDisposableStack();
  let model: BenchModel;
  {
    await using engine = await local({ workers: 1 }).open({ logFolder });
    model = made.use(await modelOf(engine));
  }
  return await rowsOf(model);
}

function wholeNumber(name: "rounds" | "soak", least: number): number {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < least)
    throw new Error(`--${name} takes a whole number from ${least} up`);
  return value;
}
