/**
 * Guards, tried on planted faults and on healthy runs: how many rounds it takes until a fault is stopped or rolled back, and how
 * often guards speak where nothing is wrong. Sixteen faults with three seeds each on tables of logits, those that are about one guard
 * by it alone and again with all guards that a run has; 60 healthy runs on tables,
 * and 6 of small decoders on the local engine (`--decoders 0` leaves these out, `--seeds N` changes the seeds of a fault).
 * Played in full and where all holds, the table is recorded and pictures of five of the faults are written to docs/guards/. One JSON object with `--json`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { defaults, refusalLoss } from "whetstone";
import { plantedFaults } from "./guards/faults.ts";
import { healthyDecoders, healthyTables } from "./guards/healthy.ts";
import { picture } from "./guards/picture.ts";
import { byDefaults, byItsOwn, isDrawn, type PlantedFault, unguarded } from "./guards/planted-fault.ts";
import { finds, firstAct, play } from "./guards/play.ts";
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

interface Found {
  /** In every seed, within the rounds that it may take. */
  readonly inTime: boolean;
  /** Of the seed that took longest; null where one was never found. */
  readonly rounds: number | null;
  readonly by: readonly string[];
}

interface Caught {
  readonly name: string;
  /** By a guard that is to find it. */
  readonly own: Found;
  /** By any of the guards that a run has if it names none. */
  readonly byDefaults: Found;
}

const pictures = join(import.meta.dirname, "..", "docs", "guards");
/** A part of it, or what does not hold, is no record. */
const inFull = values.seeds === "3" && values.tables === "10" && values.decoders === "3";
const drawn: { readonly file: string; readonly svg: string }[] = [];

async function tried(fault: PlantedFault): Promise<Caught> {
  const own = [];
  const all = [];
  for (const seed of seedsTo(Number(values.seeds))) {
    const guarded = await play(fault.define({ seed, guards: byItsOwn(fault) }));
    own.push(firstAct(guarded, finds(fault)));
    const watched =
      fault.alone === undefined ? guarded : await play(fault.define({ seed, guards: byDefaults }));
    all.push(firstAct(watched, finds(fault)));
    if (seed > 0 || !isDrawn(fault)) continue;
    const bare = await play(fault.define({ seed, guards: unguarded }));
    const file = join(pictures, `${fault.name.replaceAll(" ", "-")}.svg`);
    drawn.push({ file, svg: picture(fault, bare, guarded) });
  }
  const isOwn = (guard: string): boolean => fault.caughtBy.includes(guard);
  return { name: fault.name, own: found(fault, own, isOwn), byDefaults: found(fault, all, () => true) };
}

function found(
  { within }: PlantedFault,
  acts: readonly ReturnType<typeof firstAct>[],
  counts: (guard: string) => boolean,
): Found {
  const rounds = acts.map((act) => act?.round ?? null);
  return {
    inTime: acts.every((act) => act !== null && act.round <= within && act.guards.some(counts)),
    rounds: rounds.includes(null) ? null : Math.max(...rounds.map((round) => round ?? 0)),
    by: [...new Set(acts.flatMap((act) => act?.guards ?? []))],
  };
}

const isCaught = ({ own, byDefaults: all }: Caught): boolean => own.inTime && all.inTime;
const progress = (text: string): void => {
  if (!values.json) console.log(text);
};

const faults: Caught[] = [];
for (const fault of plantedFaults) {
  const caught = await tried(fault);
  faults.push(caught);
  progress(`${fault.name}: ${wordsOf(caught.own)}; by all guards ${wordsOf(caught.byDefaults)}`);
}
const heard = (name: string, seed: number): void => progress(`healthy: ${name}, seed ${seed}`);
const tables = await listen(healthyTables, seedsTo(Number(values.tables)), heard);
const decoders = await listen(healthyDecoders, seedsTo(Number(values.decoders)), heard);
const quiet = together(tables, decoders);
const share = warningShare(quiet);
const passed = faults.every(isCaught) && quiet.stops === 0 && quiet.rollbacks === 0 && share <= mostWarnings;

const columns = ["guard", "catches", "after rounds", "warnings in healthy runs"];
/** Refusals are watched where a run has probes, and it has them there by default. */
const rows = [...defaults(), refusalLoss()].map(({ name }) => {
  const caught = faults.filter(({ own }) => own.by.includes(name));
  return [
    name,
    caught.map((fault) => fault.name).join(", ") || "–",
    caught.map(({ own }) => own.rounds ?? "–").join(", ") || "–",
    `${quiet.warnings[name] ?? 0} of ${quiet.judged[name] ?? 0}`,
  ];
});
const byOthers = faults.filter(({ own, byDefaults: all }) => !all.by.some((guard) => own.by.includes(guard)));
const others = byOthers.map(({ name, byDefaults: all }) => `${name} (${all.by.join(", ")}: ${wordsOf(all)})`);
const verdict = [
  `${passed ? "Holds" : "Fails"}: ${faults.filter(({ own }) => own.inTime).length} of ${faults.length} planted faults are caught in every seed by a guard that is to find them, and ${faults.filter(({ byDefaults: all }) => all.inTime).length} where a run has all its guards${others.length === 0 ? "" : `; then others speak before it of ${others.join("; ")}`}.`,
  `Over ${tables.runs} healthy runs on tables and ${decoders.runs} of small decoders ${quiet.stops} stops, ${quiet.rollbacks} roll-backs, and warnings in ${(100 * share).toFixed(1)} % of the rounds in which a guard had something to judge (at most 5 % may be).`,
].join(" ");

if (values.json) {
  const healthy = {
    runs: quiet.runs,
    stops: quiet.stops,
    rollbacks: quiet.rollbacks,
    warning_share: share,
  };
  const told = faults.map((fault) => ({
    name: fault.name,
    caught: isCaught(fault),
    rounds_to_catch: fault.own.rounds,
    by_defaults: { by: fault.byDefaults.by, rounds_to_catch: fault.byDefaults.rounds },
  }));
  console.log(JSON.stringify({ faults: told, healthy }));
} else console.log(`\n${renderTable({ columns, rows })}\n\n${verdict}`);
if (inFull && passed) {
  mkdirSync(pictures, { recursive: true });
  for (const { file, svg } of drawn) writeFileSync(file, svg);
  record("guards", "npm run --silent bench:guards", {
    title: "Guards: how soon they find a planted fault, how often they speak where there is none",
    columns,
    rows,
    verdict,
  });
}
process.exitCode = passed ? 0 : 1;

function wordsOf({ inTime, rounds }: Found): string {
  if (rounds === null) return "not caught";
  return `caught in round ${rounds}${inTime ? "" : ", which is too late"}`;
}
