/**
 * `npm run bench:ttrl`: reinforcement by the majority's answer (TTRL, arXiv 2504.16084) on one small transformer, beside the same
 * steps with the verifier as the reward (an oracle) and with its rewards dealt out at random (a control). Three seeds that nobody
 * chose; `--seed N` one. Writes docs/methods/ttrl.svg.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { defineRun, grpo, majority, permuted, type RunEvent, run, verifier } from "whetstone";
import { onRunningSums } from "./methods/mechanism.ts";
import { meanOf, saveMethodPicture } from "./methods/picture.ts";
import { record, renderTable } from "./record.ts";
import { seedsOfCommit } from "./seeds.ts";
import type { Series } from "./theory/picture.ts";

const rewards = {
  oracle: () => verifier(),
  majority: () => majority(),
  permuted: () => permuted({ of: verifier() }),
};
type Arm = keyof typeof rewards;
const arms = Object.keys(rewards) as Arm[];
const rounds = 6;

interface RoundFigures {
  readonly accuracy: number;
  /** Share of rollouts whose reward is what the verifier would have given. */
  readonly rewardAccuracy: number | null;
  /** Share of what was rewarded that is right. */
  readonly labelAccuracy: number | null;
}

const { values } = parseArgs({
  options: { seed: { type: "string" }, json: { type: "boolean", default: false } },
});
const seeds = values.seed === undefined ? seedsOfCommit(3) : [Number(values.seed)];
const played = new Map<Arm, RoundFigures[][]>();
for (const seed of seeds) {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-ttrl-"));
  try {
    for (const arm of arms) {
      const definition = defineRun({
        ...onRunningSums({ noise: 0.75 }),
        name: arm,
        optimize: grpo({ reward: rewards[arm](), samples: 16, steps: 10 }),
        budget: { rounds },
        seed,
      });
      const { events } = await run(definition, { folder });
      const figures = figuresOf(events.map(({ event }) => event));
      played.set(arm, [...(played.get(arm) ?? []), figures]);
      console.error(`${arm}, seed ${seed}: ${figures.map(({ accuracy }) => accuracy.toFixed(2)).join(" ")}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function figuresOf(events: readonly RunEvent[]): RoundFigures[] {
  return events.flatMap((event): RoundFigures[] => {
    if (event.type !== "validation-measured" || event.who === "champion") return [];
    const evidence = events.find(
      (other) => other.type === "training-finished" && other.round === event.round,
    );
    const training = evidence?.type === "training-finished" ? evidence.evidence : undefined;
    const [right, rightKept, wrong, wrongKept] = ["right", "rightKept", "wrong", "wrongKept"].map((key) =>
      Number(training?.[key] ?? Number.NaN),
    ) as [number, number, number, number];
    const kept = rightKept + wrongKept;
    return [
      {
        accuracy: event.measurement.mean,
        rewardAccuracy: training === undefined ? null : (rightKept + wrong - wrongKept) / (right + wrong),
        labelAccuracy: training === undefined || kept === 0 ? null : rightKept / kept,
      },
    ];
  });
}

const meanAt = (arm: Arm, round: number, of: (figures: RoundFigures) => number | null): number | null => {
  const found = (played.get(arm) ?? []).flatMap((figures) => {
    const figure = figures[round];
    const value = figure === undefined ? null : of(figure);
    return value === null ? [] : [value];
  });
  return found.length === 0 ? null : meanOf(found);
};
const share = (value: number | null): string => (value === null ? "–" : value.toFixed(3));
const table = {
  columns: [
    "reward",
    "before",
    "after",
    "least seed",
    "reward right, round 1",
    "labels right, round 1",
    "labels right, last",
  ],
  rows: arms.map((arm) => [
    arm,
    share(meanAt(arm, 0, ({ accuracy }) => accuracy)),
    share(meanAt(arm, rounds, ({ accuracy }) => accuracy)),
    share(Math.min(...(played.get(arm) ?? []).map((figures) => figures.at(-1)?.accuracy ?? 0))),
    share(meanAt(arm, 1, ({ rewardAccuracy }) => rewardAccuracy)),
    share(meanAt(arm, 1, ({ labelAccuracy }) => labelAccuracy)),
    share(meanAt(arm, rounds, ({ labelAccuracy }) => labelAccuracy)),
  ]),
};

/** Of each seed: the majority gains, the oracle no less, chance nothing; its rewards are right more often than as many at random. */
const gains = (arm: Arm): number[] =>
  (played.get(arm) ?? []).map((figures) => (figures.at(-1)?.accuracy ?? 0) - (figures[0]?.accuracy ?? 0));
const firstRound = (arm: Arm): (RoundFigures | undefined)[] =>
  (played.get(arm) ?? []).map(([, first]) => first);
const atRandom = firstRound("permuted").map((first) => first?.rewardAccuracy ?? 1);
/** Seeds with wrong labels enough to see that a wrong label still rewards most wrong answers rightly (the paper's lucky hits). */
const mislabelled = firstRound("majority").filter((first) => (first?.labelAccuracy ?? 1) < 0.9);
const lucky = "where more than a tenth of the labels are wrong, rewards are right more often";
const checks = {
  "the majority's answer teaches in every seed": gains("majority").every((gain) => gain > 0.05),
  "the verifier teaches at least as much on average":
    meanOf(gains("oracle")) >= meanOf(gains("majority")) - 0.02,
  "rewards at random teach nothing": gains("permuted").every((gain) => gain < 0.05),
  "the majority's rewards are right more often than as many at random": firstRound("majority").every(
    (first, seed) => (first?.rewardAccuracy ?? 0) > (atRandom[seed] ?? 1),
  ),
  ...(mislabelled.length === 0
    ? {}
    : {
        [lucky]: mislabelled.every((first) => (first?.rewardAccuracy ?? 0) > (first?.labelAccuracy ?? 1)),
      }),
};
const failed = Object.entries(checks).flatMap(([what, holds]) => (holds ? [] : [what]));
const held =
  failed.length === 0 ? `Holds: ${Object.keys(checks).join("; ")}.` : `Does not hold: ${failed.join("; ")}.`;
const verdict =
  mislabelled.length === 0
    ? `${held} Not judged, since no seed had labels so wrong in round 1: ${lucky}.`
    : `${held} So many labels were wrong in ${mislabelled.length} of ${seeds.length} seeds.`;
if (values.json) console.log(JSON.stringify({ seeds, arms: Object.fromEntries(played), checks }));
else console.log(`${renderTable(table)}\n\n${verdict}`);
if (values.seed === undefined) {
  const series = (of: (figures: RoundFigures) => number | null, only: readonly Arm[]): Series[] =>
    only.map((arm) => ({
      name: arm,
      kind: "line",
      colour: arms.indexOf(arm),
      points: Array.from({ length: rounds + 1 }, (_, round) => ({
        x: round,
        y: meanAt(arm, round, of),
      })).flatMap(({ x, y }) => (y === null ? [] : [{ x, y }])),
    }));
  saveMethodPicture("ttrl", {
    title: "Reinforcement by the majority's answer",
    subtitle: `GRPO, ten steps a round, mean of ${seeds.length} seeds`,
    note: "Oracle: the verifier's verdict is the reward. Permuted: the same rewards, dealt out at random.",
    panels: [
      {
        x: { label: "round", whole: true },
        y: { label: "accuracy of a sampled answer", from: 0, to: 1 },
        series: series(({ accuracy }) => accuracy, arms),
      },
      {
        x: { label: "round", whole: true, from: 0 },
        y: { label: "of what was rewarded, right", from: 0, to: 1 },
        series: series(({ labelAccuracy }) => labelAccuracy, arms),
      },
    ],
  });
  record("ttrl", "npm run --silent bench:ttrl", {
    title: "TTRL: what the majority's answer teaches, beside an oracle and rewards at random",
    ...table,
    verdict,
  });
}
process.exitCode = failed.length === 0 ? 0 : 1;
