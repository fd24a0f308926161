/**
 * `npm run bench:parity-sweep`: how the share of demonstrations that write all steps out decides what reinforcement after next-token
 * prediction makes of a model (arXiv 2510.11495): parity of 16 bits, one pretrained model a share, then STaR. Two seeds that nobody
 * chose; `--seed N` one. Writes docs/methods/parity-sweep.svg. `bench:parity` measures one share closely.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  characters,
  deduplicate,
  defineRun,
  demonstrations,
  parity,
  procedural,
  type RunEvent,
  run,
  star,
  supervised,
  tiny,
} from "whetstone";
import { meanOf, saveMethodPicture } from "./methods/picture.ts";
import { record, renderTable } from "./record.ts";
import { seedsOfCommit } from "./seeds.ts";
import type { Series } from "./theory/picture.ts";

const bits = 16;
const shares = [0.02, 0.05, 0.15, 0.45, 0.6] as const;
const rounds = 4;

interface RoundFigures {
  /** Of validation items, answered greedily. */
  readonly greedy: number;
  /** Tokens of a sampled answer, its end included. */
  readonly length: number;
}

const { values } = parseArgs({
  options: { seed: { type: "string" }, json: { type: "boolean", default: false } },
});
const seeds = values.seed === undefined ? seedsOfCommit(2) : [Number(values.seed)];
const played = new Map<number, RoundFigures[][]>(shares.map((share) => [share, []]));
for (const seed of seeds)
  for (const share of shares) {
    const figures = await measure(share, seed);
    played.get(share)?.push(figures);
    console.error(
      `${share}, seed ${seed}: greedy ${figures.map(({ greedy }) => greedy.toFixed(2)).join(" ")}, tokens ${figures.map(({ length }) => length.toFixed(1)).join(" ")}`,
    );
  }

async function measure(writtenOut: number, seed: number): Promise<RoundFigures[]> {
  const definition = defineRun({
    name: `parity-${writtenOut}`,
    model: tiny({
      layers: 2,
      width: 64,
      heads: 2,
      positions: "learned",
      maxPositions: 34,
      tokenizer: characters("01"),
    }),
    task: parity({ bits, writtenOut }),
    prepare: supervised({ on: demonstrations(), steps: 700, learningRate: 2e-3 }),
    acquire: [procedural({ items: 2048 })],
    select: [deduplicate()],
    optimize: star({ start: "current", rationalise: false }),
    evaluate: { perStratum: 512, finalAuditPerStratum: 64 },
    guard: [],
    gate: { mode: "observe" },
    baselines: { off: "shares are what is compared, with each other" },
    budget: { rounds },
    seed,
  });
  const folder = await mkdtemp(join(tmpdir(), "whetstone-parity-sweep-"));
  try {
    const { events } = await run(definition, { folder });
    return figuresOf(events.map(({ event }) => event));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function figuresOf(events: readonly RunEvent[]): RoundFigures[] {
  const measured = events.flatMap((event) =>
    event.type === "validation-measured" && event.who !== "champion" ? [event.measurement.mean] : [],
  );
  return measured.map((greedy, round) => {
    const readings = events.flatMap((event) =>
      event.type === "meters-read" && event.round === round ? event.readings : [],
    );
    return {
      greedy,
      length: readings.find(({ meter }) => meter === "length at validation")?.value ?? Number.NaN,
    };
  });
}

const meanAt = (share: number, round: number, of: (one: RoundFigures) => number): number =>
  meanOf((played.get(share) ?? []).flatMap((figures) => (figures[round] ? [of(figures[round])] : [])));
const greedyAt = (share: number, round: number): number => meanAt(share, round, ({ greedy }) => greedy);
const lengthAt = (share: number, round: number): number => meanAt(share, round, ({ length }) => length);
const table = {
  columns: [
    "share written out",
    "greedy, pretrained",
    ...Array.from({ length: rounds }, (_, round) => `round ${round + 1}`),
    "tokens, pretrained",
    "tokens, last",
  ],
  rows: shares.map((share) => [
    share,
    ...Array.from({ length: rounds + 1 }, (_, round) => greedyAt(share, round).toFixed(3)),
    ...[0, rounds].map((round) => lengthAt(share, round).toFixed(1)),
  ]),
};
/** Of everything that was demonstrated and measured, in the order of the shares. */
const rising = (of: (share: number) => number): boolean =>
  shares.every((share, place) => place === 0 || of(share) >= of(shares[place - 1] ?? share) - 0.02);
const checks = {
  "where steps are the exception, next-token prediction alone answers at chance": shares
    .filter((share) => share <= 0.15)
    .every((share) => greedyAt(share, 0) < 0.6),
  "well above a third it is right without reinforcement": shares
    .filter((share) => share >= 0.45)
    .every((share) => greedyAt(share, 0) > 0.95),
  "from a share of .15 on, reinforcement makes it right": shares
    .filter((share) => share >= 0.15)
    .every((share) => greedyAt(share, rounds) > 0.95),
  "and answers lengthen by it there": shares
    .filter((share) => share >= 0.15)
    .every((share) => lengthAt(share, rounds) > lengthAt(share, 0)),
  "at a share of .02 there is nothing to reinforce": greedyAt(0.02, rounds) < 0.6,
  "the more steps were shown, the longer answers are at the end": rising((share) => lengthAt(share, rounds)),
};
const failed = Object.entries(checks).flatMap(([what, holds]) => (holds ? [] : [what]));
const verdict =
  failed.length === 0 ? `Holds: ${Object.keys(checks).join("; ")}.` : `Does not hold: ${failed.join("; ")}.`;
if (values.json) console.log(JSON.stringify({ seeds, played: Object.fromEntries(played), checks }));
else console.log(`${renderTable(table)}\n\n${verdict}`);
if (values.seed === undefined) {
  const lines = (of: (share: number, round: number) => number): Series[] =>
    shares.map((share, colour) => ({
      name: `${Math.round(100 * share)} % written out`,
      kind: "line",
      colour,
      points: Array.from({ length: rounds + 1 }, (_, round) => ({ x: round, y: of(share, round) })),
    }));
  saveMethodPicture("parity-sweep", {
    title: "Parity after next-token prediction, by share of demonstrations with all steps",
    subtitle: `${bits} bits, STaR, mean of ${seeds.length} seeds`,
    note: "Round 0 is the pretrained model. A written-out answer has 17 tokens, a short one 2, the end included.",
    panels: [
      {
        x: { label: "round", whole: true },
        y: { label: "greedy accuracy", from: 0, to: 1 },
        series: lines(greedyAt),
      },
      {
        x: { label: "round", whole: true },
        y: { label: "tokens of a sampled answer", from: 0, to: 18 },
        series: lines(lengthAt),
      },
    ],
  });
  record("parity-sweep", "npm run --silent bench:parity-sweep", {
    title: "Parity after next-token prediction, by share of written-out steps",
    ...table,
    verdict,
  });
}
process.exitCode = failed.length === 0 ? 0 : 1;
