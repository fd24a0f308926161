/**
 * `npm run bench:failures`: the failure that each family of methods is known for, and the guard that finds it. Every one is a run on a
 * table of logits that is made to go wrong, once with guards, and once with guards and gate looking on, which shows the harm. Three
 * seeds that nobody chose; `--seed N` one. Writes docs/methods/failures.svg.
 */
import { parseArgs } from "node:util";
import type { GuardFinding, RunDefinition } from "whetstone";
import { type Failure, failures } from "./failures/failures.ts";
import { byItsOwn, unguarded } from "./guards/planted-fault.ts";
import { firstAct, type Played, play } from "./guards/play.ts";
import { meanOf, saveMethodPicture } from "./methods/picture.ts";
import { record, renderTable } from "./record.ts";
import { seedsOfCommit } from "./seeds.ts";
import { grey, type Panel } from "./theory/picture.ts";

const { values } = parseArgs({
  options: { seed: { type: "string" }, json: { type: "boolean", default: false } },
});
const seeds = values.seed === undefined ? seedsOfCommit(3) : [Number(values.seed)];

interface Tried {
  /** Of the harm's meter, the base first, with guards off and on, and where what is wrong is set right. */
  readonly bare: readonly number[];
  readonly guarded: readonly number[];
  readonly sound: readonly number[];
  readonly act: { readonly round: number; readonly guards: readonly string[] } | null;
  readonly answer: GuardFinding["answer"] | null;
}

async function tried(failure: Failure, seed: number): Promise<Tried> {
  const { define, sound, caughtBy, harm } = failure;
  const bare = await play(observed(define({ seed, guards: unguarded })));
  const guarded = await play(define({ seed, guards: byItsOwn(failure) }));
  const right = sound === undefined ? undefined : await play(observed(sound({ seed, guards: unguarded })));
  const act = firstAct(guarded);
  const finding = guarded.rounds
    .find(({ round }) => round === act?.round)
    ?.findings.find(({ guard, answer }) => caughtBy.includes(guard) && answer !== "ok" && answer !== "warn");
  return {
    bare: readings(bare, harm.meter),
    guarded: readings(guarded, harm.meter),
    sound: right === undefined ? [] : readings(right, harm.meter),
    act,
    answer: finding?.answer ?? null,
  };
}

/** A run whose candidates go on whatever the gate says of them. */
function observed(definition: RunDefinition): RunDefinition {
  return { ...definition, gate: { ...definition.gate, mode: "observe" } };
}

function readings({ base, rounds }: Played, meter: string): number[] {
  return [base, ...rounds.map(({ readings: own }) => own)].flatMap(
    (own) => own.find((one) => one.meter === meter)?.value ?? [],
  );
}

/** How much worse a seed is: at its end than at its beginning, or over its rounds than what is sound. */
function harmOf({ harm }: Failure, { bare, sound }: Tried): number {
  const last = bare.at(-1) ?? Number.NaN;
  if (harm.change === "lags") return meanOf(sound) - meanOf(bare);
  return (harm.change === "rises" ? 1 : -1) * (last - (bare[0] ?? Number.NaN));
}

const results: { readonly failure: Failure; readonly seeds: readonly Tried[] }[] = [];
for (const failure of failures) {
  const made: Tried[] = [];
  for (const seed of seeds) made.push(await tried(failure, seed));
  results.push({ failure, seeds: made });
  console.error(
    `${failure.method}, ${failure.fails}: ${made.map(({ act, answer }) => `${answer ?? "not caught"} in round ${act?.round ?? "–"}`).join(", ")}`,
  );
}

const caught = ({ failure, seeds: made }: (typeof results)[number]): boolean =>
  made.every(({ act, answer }) => answer !== null && act !== null && act.round <= failure.within);
const harmed = ({ failure, seeds: made }: (typeof results)[number]): boolean =>
  meanOf(made.map((one) => harmOf(failure, one))) >= failure.harm.least;
const done = { stop: "stopped", "roll-back": "taken back", warn: "warned", ok: "nothing" } as const;
const words = (answers: readonly (GuardFinding["answer"] | null)[]): string =>
  [...new Set(answers.map((answer) => done[answer ?? "ok"]))].join(", ");
const mean = (lines: readonly (readonly number[])[], place: number): string =>
  meanOf(lines.map((line) => line.at(place) ?? Number.NaN)).toFixed(2);

const table = {
  columns: [
    "method",
    "what fails",
    "measured by",
    "guards off",
    "set right",
    "guard",
    "in round",
    "what it did",
  ],
  rows: results.map(({ failure, seeds: made }) => [
    failure.method,
    failure.fails,
    failure.harm.label,
    `${mean(
      made.map(({ bare }) => bare),
      0,
    )} → ${mean(
      made.map(({ bare }) => bare),
      -1,
    )}`,
    failure.sound === undefined
      ? "–"
      : mean(
          made.map(({ sound }) => sound),
          -1,
        ),
    [...new Set(made.flatMap(({ act }) => act?.guards ?? []))].join(", ") || "–",
    [...new Set(made.map(({ act }) => act?.round ?? "–"))].join(", "),
    words(made.map(({ answer }) => answer)),
  ]),
};
const missed = results.filter((one) => !caught(one)).map(({ failure }) => failure.method);
const harmless = results.filter((one) => !harmed(one)).map(({ failure }) => failure.method);
const passed = missed.length === 0 && harmless.length === 0;
const verdict = passed
  ? `Holds: each of ${results.length} failures is found in all of ${seeds.length} seeds, in time and by a guard that is to find it; with guards off each does its harm.`
  : `Does not hold: ${[...missed.map((method) => `${method} is not caught in time`), ...harmless.map((method) => `${method} does no harm`)].join("; ")}.`;
if (values.json)
  console.log(
    JSON.stringify({
      rows: results.map(({ failure: { method, fails, harm }, seeds: made }) => ({
        method,
        fails,
        harm,
        seeds: made,
      })),
    }),
  );
else console.log(`${renderTable(table)}\n\n${verdict}`);

/** One seed of a failure: without guards in colour, with them dashed up to where one acts. */
function panelOf({ failure, seeds: made }: (typeof results)[number]): Panel {
  const first = made[0] as Tried;
  const line = (name: string, colour: number, points: readonly number[], kind: "line" | "dashes") => ({
    name,
    kind,
    colour,
    points: points.map((y, x) => ({ x, y })),
  });
  return {
    x: { label: "round", whole: true },
    y: { label: failure.harm.label, from: 0, ...(failure.harm.meter === "coverage" ? {} : { to: 1 }) },
    series: [
      line(`${failure.method}, guards off`, 0, first.bare, "line"),
      ...(first.sound.length === 0 ? [] : [line("set right", 2, first.sound, "line")]),
      line(
        `guards on: ${first.act?.guards[0] ?? "nothing"} acts in round ${first.act?.round ?? "–"}`,
        grey,
        first.guarded.slice(0, (first.act?.round ?? first.guarded.length) + 1),
        "dashes",
      ),
    ],
  };
}

if (values.seed === undefined) {
  saveMethodPicture("failures", {
    title: "What goes wrong where no guard acts",
    subtitle: "One seed of each; bench:failures has the others",
    note: "Dashes end where a guard stops the run or takes the round back.",
    panels: results.map(panelOf),
    across: 3,
  });
  record("failures", "npm run --silent bench:failures", {
    title: "Known failures of methods, and the guards that find them",
    ...table,
    verdict,
  });
}
process.exitCode = passed ? 0 : 1;
