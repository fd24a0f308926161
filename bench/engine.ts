/**
 * How fast the engine is beside what people would otherwise use: its worker's code against plain PyTorch and transformers
 * at the quickstart's sizes, the engine with SmolLM2-135M against transformers' `generate` and TRL's SFTTrainer, and the way to
 * a worker and to a server against bare round trips. `--only small|sampling|training|door|wire` runs a part, which is printed and not recorded; `--rounds N` takes more pairs.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { local } from "whetstone";
import { doorRows } from "./engine/door.ts";
import { peerEnvironment } from "./engine/environment.ts";
import { benchModel } from "./engine/model.ts";
import type { Row } from "./engine/row.ts";
import { samplingRows } from "./engine/sampling.ts";
import { smallDecoderRows } from "./engine/small-decoder.ts";
import { trainingRows } from "./engine/training.ts";
import { wireRows } from "./engine/wire.ts";
import { record, renderTable } from "./record.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
  },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds takes a whole number from 1 up");
const parts = ["small", "sampling", "training", "door", "wire"];
if (values.only !== undefined && !parts.includes(values.only))
  throw new Error(`--only takes one of ${parts.join(", ")}`);
const wanted = (part: string): boolean => values.only === undefined || values.only === part;

const rows: Row[] = [];
if (wanted("small")) rows.push(...(await smallDecoderRows(await peerEnvironment())));
if (wanted("sampling") || wanted("training")) {
  const environment = await peerEnvironment();
  const logFolder = await mkdtemp(join(tmpdir(), "whetstone-bench-logs-"));
  {
    await using engine = await local().open({ logFolder });
    await using model = await benchModel(engine);
    if (wanted("sampling")) rows.push(...(await samplingRows(engine, model, environment, rounds)));
    if (wanted("training")) rows.push(...(await trainingRows(engine, model, environment, rounds)));
  }
  await rm(logFolder, { recursive: true, force: true });
}
if (wanted("door")) rows.push(...(await doorRows(rounds)));
if (wanted("wire")) rows.push(...(await wireRows(rounds)));

const missed = rows.filter(({ ratio, bar }) => bar !== null && ratio < bar);
const table = {
  columns: ["work", "against", "setting", "ratio", "bar"],
  rows: rows.map(({ work, against, setting, ratio, bar }) => [
    work,
    against,
    setting,
    ratio.toFixed(2),
    bar === null ? "none" : Number(bar.toFixed(2)),
  ]),
};
const verdict =
  missed.length === 0
    ? "Holds: no ratio is below its bar."
    : `Does not hold: ${missed.map(({ work, against, ratio, bar }) => `${work} against ${against} is ${ratio.toFixed(2)}, and the bar is ${bar?.toFixed(2)}`).join("; ")}.`;
if (values.json) console.log(JSON.stringify({ rows }));
else console.log(`${renderTable(table)}\n\n${verdict}`);
if (values.only === undefined)
  record("engine", "npm run --silent bench:engine", {
    title: "How many times as fast the engine is",
    ...table,
    verdict,
  });
process.exitCode = missed.length === 0 ? 0 : 1;
