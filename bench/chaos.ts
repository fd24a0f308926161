/**
 * `npm run bench:chaos`: runs that are killed with SIGKILL, the command and its workers, must end with the ledger and the weights
 * of a run that nobody touched, bit for bit, and do little of their work twice. A hundred kills on the tabular engine and twenty
 * on PyTorch; `--kills N` divides N alike, `--engine tabular` or `local` asks one alone.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Chaos, type ChaosEngine, type Killed, uniformOf } from "./chaos/kill-runs.ts";

/** Of a run's work, on average a kill. */
const mostRedone = 0.1;

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "120" },
    seed: { type: "string", default: "0" },
    engine: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
const onLocal = values.engine === undefined ? Math.round(kills / 6) : values.engine === "local" ? kills : 0;

const root = mkdtempSync(join(tmpdir(), "whetstone-chaos-"));
const done = [...(await killed("tabular", kills - onLocal)), ...(await killed("local", onLocal))];
const sum = (of: (one: Killed) => number): number => done.reduce((total, one) => total + of(one), 0);
const result = {
  kills: sum((one) => one.kills),
  by: { cli: sum(({ by }) => by.cli), worker: sum(({ by }) => by.worker) },
  ledger_equal: done.every(({ ledgerEqual }) => ledgerEqual),
  weights_equal: done.every(({ weightsEqual }) => weightsEqual),
  redone_share:
    sum((one) => one.redoneShare * one.kills) /
    Math.max(
      1,
      sum((one) => one.kills),
    ),
};
const passed = result.ledger_equal && result.weights_equal && result.redone_share <= mostRedone;
if (values.json) console.log(JSON.stringify(result));
else {
  const { by, ledger_equal, weights_equal, redone_share } = result;
  console.log(`${result.kills} kills: ${by.cli} of the command, ${by.worker} of a worker`);
  console.log(
    `ledger ${ledger_equal ? "equal" : "DIFFERENT"}, weights ${weights_equal ? "equal" : "DIFFERENT"}`,
  );
  console.log(
    `work done again: ${(100 * redone_share).toFixed(1)} % of a run a kill, at most ${100 * mostRedone} %`,
  );
}
for (const folder of done.flatMap(({ different }) => different))
  console.error(`came to another end: ${folder}`);
if (passed) rmSync(root, { recursive: true, force: true });
process.exitCode = passed ? 0 : 1;

/** A table's run also dies at every boundary of a durable step, while that leaves half of the kills to chance. */
async function killed(engine: ChaosEngine, count: number): Promise<Killed[]> {
  if (count === 0) return [];
  const place = (name: string, rounds: number): Chaos =>
    new Chaos({ engine, root: join(root, `${engine}-${name}`), rounds, uniform: uniformOf(seed, engine) });
  const parts: Killed[] = [];
  if (engine === "tabular" && count >= 80) parts.push(await place("boundaries", 1).atBoundaries());
  const spent = parts.reduce((total, one) => total + one.kills, 0);
  parts.push(await place("random", 2).atRandom(count - spent));
  return parts;
}
