/**
 * `npm run bench:verification-gap`: how much truer what a model keeps of its own answers is than what it writes, round after round, for
 * four ways to verify itself and the truth beside them (arXiv 2412.02674), on a table of logits that plays solver, judge and critic. A round learns what was kept; the gap is what it can gain,
 * and closes. Three seeds that nobody chose; `--seed N` one. Writes docs/methods/verification-gap.svg.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { defineRun, gro, type RunEvent, run, samples, supervised } from "whetstone";
import { onRoles, rolesShown } from "./guards/roles-on-digits.ts";
import { meanOf, saveMethodPicture } from "./methods/picture.ts";
import { type SelfVerifier, selfVerifiers } from "./methods/self-verifiers.ts";
import { record, renderTable } from "./record.ts";
import { seedsOfCommit } from "./seeds.ts";
import type { Series } from "./theory/picture.ts";

const names = Object.keys(selfVerifiers) as SelfVerifier[];
const own = names.filter((name) => name !== "oracle");
const rounds = 5;

interface RoundFigures {
  /** Before the round learns anything: of what was kept, how much more is right than of all. */
  readonly gap: number | null;
  /** The same as a share of the room that was left. */
  readonly relative: number | null;
  readonly accuracy: number;
  readonly passAtK: number;
}

const { values } = parseArgs({
  options: { seed: { type: "string" }, json: { type: "boolean", default: false } },
});
const seeds = values.seed === undefined ? seedsOfCommit(3) : [Number(values.seed)];
const played: Record<SelfVerifier, RoundFigures[][]> = {
  oracle: [],
  judge: [],
  tournament: [],
  critique: [],
  vote: [],
};
for (const seed of seeds) {
  // One folder a seed: the base is prepared once, and every verifier begins with it.
  const folder = await mkdtemp(join(tmpdir(), "whetstone-verification-gap-"));
  try {
    for (const name of names) {
      const definition = defineRun({
        ...onRoles,
        name,
        // The judge takes a wrong answer to one digit in ten for right, the critic to two, and the solver's majority is wrong of three.
        prepare: supervised({
          on: rolesShown({
            right: (digit) => (digit >= 7 ? 0.4 : 0.65),
            judged: (digit) => (digit === 9 ? [0.9, 0.9] : [0.9, 0.1]),
            criticised: (digit) => (digit >= 8 ? [0.9, 0.9] : [0.9, 0.1]),
          }),
          steps: 150,
          learningRate: 0.1,
        }),
        optimize: gro({
          name: `keeping by ${name}`,
          generate: samples({ samples: 8 }),
          reward: selfVerifiers[name](),
          update: supervised({ steps: 20, learningRate: 0.1, replay: { newest: 1 } }),
        }),
        guard: [],
        gate: { mode: "observe" },
        budget: { rounds },
        seed,
      });
      const { events } = await run(definition, { folder });
      const figures = figuresOf(events.map(({ event }) => event));
      played[name].push(figures);
      console.error(
        `${name}, seed ${seed}: gap ${figures.map(({ gap }) => gap?.toFixed(2) ?? "–").join(" ")}, accuracy ${figures.map(({ accuracy }) => accuracy.toFixed(2)).join(" ")}`,
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of the base first, which has learnt nothing and so has no gap, and then of each round. */
function figuresOf(events: readonly RunEvent[]): RoundFigures[] {
  return Array.from({ length: rounds + 1 }, (_, round) => {
    const readings = events.flatMap((event) =>
      event.type === "meters-read" && event.round === round ? event.readings : [],
    );
    const read = (meter: string): number | null =>
      readings.find((reading) => reading.meter === meter)?.value ?? null;
    const measured = events.find(
      (event) =>
        event.type === "validation-measured" &&
        event.round === round &&
        event.who === (round === 0 ? "base" : "candidate"),
    );
    if (measured?.type !== "validation-measured") throw new Error(`round ${round} was not measured`);
    return {
      gap: read("generation–verification gap"),
      relative: read("relative gap"),
      accuracy: measured.measurement.mean,
      passAtK: read("pass@k") ?? Number.NaN,
    };
  });
}

const meanAt = (name: SelfVerifier, round: number, of: (one: RoundFigures) => number | null): number =>
  meanOf(
    played[name].flatMap((figures) => {
      const value = figures[round] === undefined ? null : of(figures[round]);
      return value === null ? [] : [value];
    }),
  );
const gapAt = (name: SelfVerifier, round: number): number => meanAt(name, round, ({ gap }) => gap);
const accuracyAt = (name: SelfVerifier, round: number): number =>
  meanAt(name, round, ({ accuracy }) => accuracy);
const table = {
  columns: [
    "kept by",
    "gap, round 1",
    "round 3",
    `round ${rounds}`,
    "of the room, round 1",
    "accuracy before",
    "after round 1",
    "after the last",
    "any of 16, before",
    "after the last",
  ],
  rows: names.map((name) => [
    name,
    ...[1, 3, rounds].map((round) => gapAt(name, round).toFixed(3)),
    meanAt(name, 1, ({ relative }) => relative).toFixed(3),
    ...[0, 1, rounds].map((round) => accuracyAt(name, round).toFixed(3)),
    ...[0, rounds].map((round) => meanAt(name, round, ({ passAtK }) => passAtK).toFixed(3)),
  ]),
};
const checks = {
  "each of the four keeps what is truer than what was written": own.every((name) => gapAt(name, 1) > 0.02),
  "none more so than the truth": own.every((name) => gapAt(name, 1) < gapAt("oracle", 1)),
  "the first round gains no more than its gap":
    Math.max(...own.map((name) => accuracyAt(name, 1) - accuracyAt(name, 0) - gapAt(name, 1))) < 0.02,
  "each of the four gaps has lost half of itself by the last round": own.every(
    (name) => gapAt(name, rounds) < gapAt(name, 1) / 2,
  ),
};
const failed = Object.entries(checks).flatMap(([what, holds]) => (holds ? [] : [what]));
const verdict =
  failed.length === 0 ? `Holds: ${Object.keys(checks).join("; ")}.` : `Does not hold: ${failed.join("; ")}.`;
if (values.json) console.log(JSON.stringify({ seeds, played, checks }));
else console.log(`${renderTable(table)}\n\n${verdict}`);
if (values.seed === undefined) {
  const lines = (of: (name: SelfVerifier, round: number) => number, first: number): Series[] =>
    names.map((name, colour) => ({
      name,
      kind: "line",
      colour,
      points: Array.from({ length: rounds + 1 - first }, (_, place) => ({
        x: first + place,
        y: of(name, first + place),
      })),
    }));
  saveMethodPicture("verification-gap", {
    title: "What a model can learn from its own verdicts",
    subtitle: `Accuracy of what is kept less accuracy of all that is written; mean of ${seeds.length} seeds`,
    note: "Judge: says yes. Critique: finds no mistake. Tournament: the best judged. Vote: most attempts agree. Oracle: the truth.",
    panels: [
      {
        x: { label: "round", whole: true },
        y: { label: "generation–verification gap", from: 0 },
        series: lines(gapAt, 1),
      },
      {
        x: { label: "round", whole: true, from: 0 },
        y: { label: "accuracy of a sampled answer", from: 0, to: 1 },
        series: lines(accuracyAt, 0),
      },
    ],
  });
  record("verification-gap", "npm run --silent bench:verification-gap", {
    title: "Generation–verification gap over rounds, by verifier",
    ...table,
    verdict,
  });
}
process.exitCode = failed.length === 0 ? 0 : 1;
