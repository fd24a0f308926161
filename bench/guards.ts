/**
 * Guards, tried on planted faults and on healthy runs: how many rounds it takes until a fault is stopped or rolled back, and how
 * often guards speak where nothing is wrong. Fifteen faults with three seeds each on tables of logits, 40 healthy runs on tables,
 * and 6 of small decoders on the local engine (`--decoders 0` leaves these out, `--seeds N` changes the seeds of a fault).
 * Pictures of five of the faults are written to docs/guards/. One JSON object with `--json`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { defaults } from "whetstone";
import { plantedFaults } from "./guards/faults.ts";
import { healthyDecoders, healthyTables } from "./guards/healthy.ts";
import { picture } from "./guards/picture.ts";
import { isDrawn, type PlantedFault } from "./guards/planted-fault.ts";
import { firstAct, play } from "./guards/play.ts";
import { listen, together, warningShare } from "./guards/quiet.ts";
import { record, renderTable } from "./record.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    seeds: { type: "string", default: "3" },
    tables: { type: "string", default: "10" },
    decoders: { type: "string", default: "3" },
  },
});
const seedsTo = (count: number): number[] => Array.from({ length: count }, (_, seed) => seed);
/** What is said of healthy runs at most. */
const mostWarnings = 0.05;

interface Caught {
  readonly name: string;
  /** In every seed, within the rounds that it may take, by a guard that is to find it. */
  readonly caught: boolean;
  /** Of the seed that took longest; null where one was never caught. */
  readonly rounds_to_catch: number | null;
  readonly by: readonly string[];
}

const pictures = join(import.meta.dirname, "..", "docs", "guards");
mkdirSync(pictures, { recursive: true });

async function tried(fault: PlantedFault): Promise<Caught> {
  const acts = [];
  for (const seed of seedsTo(Number(values.seeds))) {
    const guarded = await play(fault.define({ seed, guarded: true }));
    acts.push(firstAct(guarded, fault.answers));
    if (seed > 0 || !isDrawn(fault)) continue;
    const bare = await play(fault.define({ seed, guarded: false }));
    const file = join(pictures, `${fault.name.replaceAll(" ", "-")}.svg`);
    writeFileSync(file, picture(fault, bare, guarded));
  }
  const rounds = acts.map((act) => act?.round ?? null);
  return {
    name: fault.name,
    caught: acts.every(
      (act) =>
        act !== null &&
        act.round <= fault.within &&
        act.guards.some((guard) => fault.caughtBy.includes(guard)),
    ),
    rounds_to_catch: rounds.includes(null) ? null : Math.max(...rounds.map((round) => round ?? 0)),
    by: [...new Set(acts.flatMap((act) => act?.guards ?? []))],
  };
}

const progress = (text: string): void => {
  if (!values.json) console.log(text);
};

const faults: Caught[] = [];
for (const fault of plantedFaults) {
  const caught = await tried(fault);
  faults.push(caught);
  progress(`${fault.name}: ${caught.caught ? `caught in round ${caught.rounds_to_catch}` : "not caught"}`);
}
const heard = (name: string, seed: number): void => progress(`healthy: ${name}, seed ${seed}`);
const tables = await listen(healthyTables, seedsTo(Number(values.tables)), heard);
const decoders = await listen(healthyDecoders, seedsTo(Number(values.decoders)), heard);
const quiet = together(tables, decoders);
const share = warningShare(quiet);
const passed =
  faults.every(({ caught }) => caught) && quiet.stops === 0 && quiet.rollbacks === 0 && share <= mostWarnings;

const columns = ["guard", "catches", "after rounds", "warnings in healthy runs"];
const rows = defaults().map(({ name }) => {
  const found = faults.filter(({ by }) => by.includes(name));
  return [
    name,
    found.map((fault) => fault.name).join(", ") || "–",
    found.map(({ rounds_to_catch: rounds }) => rounds ?? "–").join(", ") || "–",
    `${quiet.warnings[name] ?? 0} of ${quiet.guardRounds / defaults().length}`,
  ];
});
const verdict = `${passed ? "Holds" : "Fails"}: ${faults.filter(({ caught }) => caught).length} of ${faults.length} planted faults are caught in every seed; over ${tables.runs} healthy runs on tables and ${decoders.runs} of small decoders ${quiet.stops} stops, ${quiet.rollbacks} roll-backs, and warnings in ${(100 * share).toFixed(1)} % of guard-rounds (at most 5 % may be).`;

if (values.json) {
  const healthy = {
    runs: quiet.runs,
    stops: quiet.stops,
    rollbacks: quiet.rollbacks,
    warning_share: share,
  };
  const told = faults.map(({ name, caught, rounds_to_catch }) => ({ name, caught, rounds_to_catch }));
  console.log(JSON.stringify({ faults: told, healthy }));
} else console.log(`\n${renderTable({ columns, rows })}\n\n${verdict}`);
record("guards", "npm run --silent bench:guards", {
  title: "Guards: how soon they find a planted fault, how often they speak where there is none",
  columns,
  rows,
  verdict,
});
process.exitCode = passed ? 0 : 1;
