/**
 * How fast the engine is beside what people would otherwise use, and how much memory it takes: its worker's code against
 * plain PyTorch and transformers at the quickstart's sizes, the engine against transformers' `generate` and Trainer and
 * against TRL's trainers, against the products of matrices that this machine can do, and the way to a worker and to a server
 * against bare round trips.
 * Each part has a record of its own; `--only PART,PART` runs some (`gpu-…` only so: they want a GPU); `--rounds N` takes more pairs; `--json`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Engine, local } from "whetstone";
import { doorRows } from "./engine/door.ts";
import type { EngineBench } from "./engine/engine-bench.ts";
import { peerEnvironment } from "./engine/environment.ts";
import { gpuGrpoRows, grpoRows } from "./engine/grpo.ts";
import { memoryRows, soakRows } from "./engine/memory.ts";
import { type BenchModel, benchModel, largeModel } from "./engine/model.ts";
import { gpuPeakRows, peakRows } from "./engine/peak.ts";
import type { Row } from "./engine/row.ts";
import { gpuSamplingRows, samplingRows, smallSamplingRows } from "./engine/sampling.ts";
import { smallDecoderRows } from "./engine/small-decoder.ts";
import { smallModel } from "./engine/small-model.ts";
import { startRows } from "./engine/start.ts";
import {
  gpuSupervisedRows,
  type SupervisedBench,
  smallTrainingRows,
  supervisedRows,
} from "./engine/supervised.ts";
import { trainingRows } from "./engine/training.ts";
import { wireRows } from "./engine/wire.ts";
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
  "small-training": () => inTurn(smallTrainingRows, smallModel),
  "small-sampling": () => compare(smallSamplingRows, smallModel),
  sampling: () => compare(samplingRows, benchModel),
  training: () => compare(trainingRows, benchModel),
  supervised: () => inTurn(supervisedRows, benchModel),
  grpo: () => compare(grpoRows, benchModel),
  peak: () => compare(peakRows, benchModel),
  memory: () => withModel(benchModel, (model) => memoryRows({ model, logFolder })),
  soak: () => withModel(smallModel, (model) => soakRows({ model, logFolder }, soak)),
  door: () => doorRows(rounds),
  wire: () => wireRows(rounds),
  start: () => startRows(rounds),
};
/** On a machine that has one: these run when they are asked for. */
const gpuParts: Readonly<Record<string, () => Promise<Row[]>>> = {
  "gpu-sampling": () => compare(gpuSamplingRows, benchModel),
  "gpu-supervised": () => inTurn(gpuSupervisedRows, benchModel),
  "gpu-grpo": () => compare(gpuGrpoRows, benchModel, "requirements-gpu.txt"),
  "gpu-peak": () => compare(gpuPeakRows, largeModel),
};
/** Of the records, a part each. */
const titles: Readonly<Record<string, string>> = {
  small: "small decoders, its worker's code against plain PyTorch and transformers",
  "small-training": "training the demo's small model",
  "small-sampling": "sampling from the demo's small model",
  sampling: "sampling from SmolLM2-135M",
  training: "fine-tuning SmolLM2-135M, against TRL",
  supervised: "a supervised step of SmolLM2-135M, against Trainer",
  grpo: "a GRPO step of SmolLM2-135M, against TRL",
  peak: "its share of the products of matrices that this machine can do",
  memory: "the memory that it takes, of what it may take",
  soak: "memory over ten thousand steps of a small model",
  door: "the way to a worker and back, against a bare round trip",
  wire: "the way to a server and back, against a bare round trip",
  start: "from the start of a first run to its first answers",
  "gpu-sampling": "sampling from SmolLM2-135M on a GPU",
  "gpu-supervised": "a supervised step of SmolLM2-135M on a GPU, against Trainer",
  "gpu-grpo": "a GRPO step of SmolLM2-135M on a GPU, against TRL with and without vLLM",
  "gpu-peak": "its share of the products of matrices that a GPU can do",
};
const wanted = values.only?.split(",") ?? Object.keys(parts);
const all = { ...parts, ...gpuParts };
for (const part of wanted)
  if (!Object.hasOwn(all, part)) throw new Error(`--only takes some of ${Object.keys(all).join(",")}`);

const rows: Row[] = [];
for (const part of wanted) {
  const made = (await all[part]?.()) ?? [];
  rows.push(...made);
  if (values.json) continue;
  console.log(`${renderTable(tableOf(made))}\n\n${verdictOf(made)}\n`);
  if (part !== "soak" || soak === soakSteps)
    record(`engine-${part}`, `npm run --silent bench:engine -- --only ${part}`, {
      title: `The engine: ${titles[part] ?? part}`,
      ...tableOf(made),
      verdict: verdictOf(made),
    });
}
await rm(logFolder, { recursive: true, force: true });
if (values.json) console.log(JSON.stringify({ rows }));
process.exitCode = missedOf(rows).length === 0 ? 0 : 1;

function tableOf(some: readonly Row[]) {
  return {
    columns: ["work", "against", "setting", "ratio", "bar"],
    rows: some.map(({ work, against, setting, ratio, bar }) => [
      work,
      against,
      setting,
      ratio.toFixed(2),
      bar === null ? "none" : Number(bar.toFixed(2)),
    ]),
  };
}

function missedOf(some: readonly Row[]): readonly Row[] {
  return some.filter(({ ratio, bar }) => bar !== null && !(ratio >= bar));
}

function verdictOf(some: readonly Row[]): string {
  const missed = missedOf(some).map(
    ({ work, against, ratio, bar }) =>
      `${work} against ${against} is ${ratio.toFixed(2)}, and the bar is ${bar?.toFixed(2)}`,
  );
  return missed.length === 0 ? "Holds: no ratio is below its bar." : `Does not hold: ${missed.join("; ")}.`;
}

async function compare(
  rowsOf: (bench: EngineBench) => Promise<Row[]>,
  modelOf: (engine: Engine) => Promise<BenchModel>,
  ...requirements: Parameters<typeof peerEnvironment>
): Promise<Row[]> {
  const environment = await peerEnvironment(...requirements);
  await using engine = await local().open({ logFolder });
  await using model = await modelOf(engine);
  return await rowsOf({ engine, model, environment, rounds });
}

/** Each side is started for each of its turns. */
async function inTurn(
  rowsOf: (bench: SupervisedBench) => Promise<Row[]>,
  modelOf: (engine: Engine) => Promise<BenchModel>,
): Promise<Row[]> {
  const environment = await peerEnvironment();
  return await withModel(modelOf, (model) => rowsOf({ model, environment, rounds, logFolder }));
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
