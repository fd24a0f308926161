/**
 * `npm run bench:self-improving`: small decoders that reverse strings of 1 to 6 digits teach themselves longer ones, one digit a round
 * (Self-Improving Transformers, arXiv 2502.01612), with each of the paper's filters: none, the length filter, the agreement of models
 * trained apart, and both. Three seeds that nobody chose; `--seed N` one. Writes docs/methods/self-improving.svg.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  agreement,
  characters,
  defineRun,
  demonstrations,
  greedy,
  gro,
  modalLength,
  procedural,
  type RewardPart,
  type RunEvent,
  reverse,
  run,
  selfImprovingTransformers,
  supervised,
  tiny,
  weighted,
} from "whetstone";
import { meanOf, saveMethodPicture } from "./methods/picture.ts";
import { record, renderTable } from "./record.ts";
import { seedsOfCommit } from "./seeds.ts";
import type { Series } from "./theory/picture.ts";

const update = supervised({ steps: 60, learningRate: 1e-3, replay: { newest: 0.5 } });
/** Of two filters an answer must pass both: only then the halves make a whole, which is what is kept. */
const both = (): RewardPart =>
  weighted({
    length: { reward: modalLength(), weight: 0.5 },
    vote: { reward: agreement({ peers: 2 }), weight: 0.5 },
  });
const filters = {
  none: () => selfImprovingTransformers({ filter: "none", update }),
  length: () => selfImprovingTransformers({ filter: "length", update }),
  vote: () => selfImprovingTransformers({ filter: "agreement", peers: 2, update }),
  both: () => gro({ name: "both filters", generate: greedy(), reward: both(), update }),
};
type Filter = keyof typeof filters;
const names = Object.keys(filters) as Filter[];
const rounds = 7;
/** Digits that the longest demonstrations have, and that are measured. */
const [taught, longest] = [6, 14];

interface Grown {
  /** After each round, the base first: greatest length up to which nine of ten are solved. */
  readonly solved: readonly number[];
  /** Of the labels of a round that were kept, the share that is right. */
  readonly labels: readonly number[];
  /** After the last round, by length. */
  readonly byLength: readonly number[];
}

const { values } = parseArgs({
  options: { seed: { type: "string" }, json: { type: "boolean", default: false } },
});
const seeds = values.seed === undefined ? seedsOfCommit(3) : [Number(values.seed)];
const grown: Record<Filter, Grown[]> = { none: [], length: [], vote: [], both: [] };
for (const seed of seeds) {
  // One folder a seed: each model is prepared once, and every filter begins with it.
  const folder = await mkdtemp(join(tmpdir(), "whetstone-self-improving-"));
  try {
    for (const filter of names) {
      const { events } = await run(runOf(filter, seed), { folder });
      const one = grownIn(events.map(({ event }) => event));
      grown[filter].push(one);
      console.error(`${filter}, seed ${seed}: ${one.solved.join(" ")}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runOf(filter: Filter, seed: number) {
  return defineRun({
    name: filter,
    model: tiny({
      layers: 3,
      width: 64,
      heads: 2,
      positions: "none",
      tokenizer: characters("0123456789="),
    }),
    task: reverse({ lengths: [1, taught], growTo: taught + rounds, measureTo: longest }),
    prepare: supervised({ on: demonstrations(), steps: 800, learningRate: 3e-3 }),
    acquire: [demonstrations(), procedural({ difficulty: "next", items: 768 })],
    optimize: filters[filter](),
    // Whoever goes astray is to go on: what comes of it is what is shown.
    gate: { mode: "observe" },
    guard: [],
    baselines: { off: "filters are what is compared, with each other" },
    evaluate: { attemptItems: 0, finalAuditPerStratum: 32 },
    budget: { rounds },
    seed,
  });
}

function grownIn(events: readonly RunEvent[]): Grown {
  const measured = events.flatMap((event) =>
    event.type === "validation-measured" && event.who !== "champion" ? [event.measurement] : [],
  );
  const labels = events.flatMap((event) =>
    event.type === "training-finished" ? [Number(event.evidence.keptLabelAccuracy ?? 0)] : [],
  );
  return {
    solved: measured.map(({ frontier90 }) => frontier90 ?? 0),
    labels,
    byLength: (measured.at(-1)?.strata ?? []).map(({ mean }) => mean),
  };
}

const solvedAtEnd = (filter: Filter): number => meanOf(grown[filter].map(({ solved }) => solved.at(-1) ?? 0));
/** Mean over all lengths: what a solved length, which jumps, does not tell. */
const accuracyAtEnd = (filter: Filter): number =>
  meanOf(grown[filter].map(({ byLength }) => meanOf(byLength)));
const table = {
  columns: [
    "filter",
    "solved before",
    "after",
    "least seed",
    "all lengths",
    `length ${taught + rounds - 1}`,
    `length ${taught + rounds}`,
    "last labels right",
  ],
  rows: names.map((filter) => [
    filter,
    meanOf(grown[filter].map(({ solved }) => solved[0] ?? 0)).toFixed(1),
    solvedAtEnd(filter).toFixed(1),
    Math.min(...grown[filter].map(({ solved }) => solved.at(-1) ?? 0)),
    accuracyAtEnd(filter).toFixed(3),
    ...[taught + rounds - 2, taught + rounds - 1].map((place) =>
      meanOf(grown[filter].map(({ byLength }) => byLength[place] ?? 0)).toFixed(2),
    ),
    meanOf(grown[filter].map(({ labels }) => labels.at(-1) ?? 0)).toFixed(3),
  ]),
};
const checks = {
  "the vote goes further than no filter": solvedAtEnd("vote") >= solvedAtEnd("none") + 2,
  "so do both filters": solvedAtEnd("both") >= solvedAtEnd("none") + 2,
  "with a vote every seed grows by four digits and more": [...grown.vote, ...grown.both].every(
    ({ solved }) => (solved.at(-1) ?? 0) >= (solved[0] ?? 0) + 4,
  ),
};
const failed = Object.entries(checks).flatMap(([what, holds]) => (holds ? [] : [what]));
const verdict =
  failed.length === 0 ? `Holds: ${Object.keys(checks).join("; ")}.` : `Does not hold: ${failed.join("; ")}.`;
if (values.json) console.log(JSON.stringify({ seeds, grown, checks }));
else console.log(`${renderTable(table)}\n\n${verdict}`);
if (values.seed === undefined) {
  const lines = (of: (one: Grown) => readonly number[], first: number): Series[] =>
    names.map((filter, colour) => ({
      name: filter,
      kind: "line",
      colour,
      points: (grown[filter][0] === undefined ? [] : of(grown[filter][0])).map((_, place) => ({
        x: first + place,
        y: meanOf(grown[filter].map((one) => of(one)[place] ?? 0)),
      })),
    }));
  saveMethodPicture("self-improving", {
    title: "Teaching itself longer strings, by filter",
    subtitle: `Strings of 1 to ${taught} digits are taught, one more is tried each round; mean of ${seeds.length} seeds`,
    note: "Vote: two models trained apart say the same. Length: as long as most answers. Both: an answer must pass both.",
    panels: [
      {
        x: { label: "round", whole: true },
        y: { label: "solved up to this length", from: 0, to: longest },
        series: lines(({ solved }) => solved, 0),
      },
      {
        x: { label: "length", whole: true },
        y: { label: "accuracy after the last round", from: 0, to: 1 },
        series: lines(({ byLength }) => byLength, 1),
      },
    ],
  });
  record("self-improving", "npm run --silent bench:self-improving", {
    title: "Self-Improving Transformers: how far strings grow, by filter",
    ...table,
    verdict,
  });
}
process.exitCode = failed.length === 0 ? 0 : 1;
