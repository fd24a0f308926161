import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  agreement,
  defineRun,
  demonstrations,
  everything,
  procedural,
  type RunEvent,
  rejectionSampling,
  reverse,
  run,
  supervised,
  tiny,
} from "../src/index.ts";

/**
 * The demo at a reduced size, with the PyTorch engine: 1 to 5 digits are demonstrated, 6 to 9 are to be found out. Its third arm,
 * without new labels, is `bench:demo`'s.
 */
const arms = { peers: agreement({ peers: 2 }), none: everything() } as const;
type Arm = keyof typeof arms;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-self-teaching-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const definitionOf = (arm: Arm) =>
  defineRun({
    name: arm,
    model: tiny({ layers: 3, width: 64, heads: 2, positions: "none" }),
    task: reverse({ lengths: [1, 5], growTo: 9, measureTo: 10 }),
    prepare: supervised({ on: demonstrations(), steps: 600, learningRate: 3e-3 }),
    acquire: [demonstrations(), procedural({ difficulty: "next", items: 768 })],
    optimize: rejectionSampling({ reward: arms[arm], update: supervised({ steps: 60 }) }),
    evaluate: { perStratum: 64, finalAuditPerStratum: 64 },
    gate: { mode: arm === "peers" ? "decide" : "observe" },
    budget: { rounds: 4 },
  });

/** Accuracy by length (from 1), base and last candidate, and the label accuracies of each round. */
interface Story {
  readonly events: readonly RunEvent[];
  readonly base: readonly number[];
  readonly last: readonly number[];
  readonly raw: readonly unknown[];
  readonly kept: readonly unknown[];
}

async function play(arm: Arm): Promise<Story> {
  const { events: stored } = await run(definitionOf(arm), { folder });
  const events = stored.map(({ event }) => event);
  const measured = events.flatMap((event) =>
    event.type === "validation-measured" ? [event.measurement.strata.map(({ mean }) => mean)] : [],
  );
  const evidence = events.flatMap((event) => (event.type === "training-finished" ? [event.evidence] : []));
  return {
    events,
    base: measured[0] ?? [],
    last: measured.at(-1) ?? [],
    raw: evidence.map(({ rawLabelAccuracy }) => rawLabelAccuracy),
    kept: evidence.map(({ keptLabelAccuracy }) => keptLabelAccuracy),
  };
}

describe("a model teaches itself longer strings", () => {
  const stories = new Map<Arm, Story>();

  test("where two peers must agree, it learns what it was never shown, and the gate promotes it", async () => {
    const story = await play("peers");
    stories.set("peers", story);
    expect(Math.min(...story.base.slice(0, 5))).toBeGreaterThan(0.95);
    expect(story.base[8]).toBeLessThan(0.3);
    expect(Math.min(...story.last.slice(0, 8))).toBeGreaterThan(0.9);
    expect(story.last[8]).toBeGreaterThan(0.8);
    for (const kept of story.kept) expect(kept).toBeGreaterThan(0.93);
    expect(story.events.filter(({ type }) => type === "candidate-promoted").length).toBeGreaterThanOrEqual(3);
    const audit = story.events.findLast((event) => event.type === "audit-measured");
    expect(audit).toMatchObject({ comparison: "base", gain: { pairs: 6 * 64 } });
    expect(audit?.gain.interval.low).toBeGreaterThan(0.3);
    expect(story.events.at(-1)).toMatchObject({ type: "run-finished", outcome: "rounds-spent" });
  });

  test("without a filter its errors feed on themselves, and nothing is promoted", async () => {
    const story = await play("none");
    const peers = stories.get("peers");
    expect(story.base).toEqual(peers?.base); // prepared once, for both
    expect(story.raw.at(-1)).toBeLessThan(0.4);
    expect(story.raw.at(-1)).toBeLessThan(peers?.raw.at(-1) as number);
    expect(story.last[8]).toBeLessThan(0.3);
    expect(story.events.some(({ type }) => type === "candidate-promoted")).toBe(false);
    const decisions = story.events.flatMap((event) =>
      event.type === "decision-made" ? [event.decision] : [],
    );
    expect(decisions.map(({ acted }) => acted)).toEqual([false, false, false, false]);
  });
}, 180_000);
