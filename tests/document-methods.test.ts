import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { roleDemonstrations, runningSums } from "../bench/methods/running-sums.ts";
import {
  absoluteZero,
  defineRun,
  drZero,
  type Method,
  procedural,
  quietStar,
  type RunEvent,
  run,
  seal,
  spice,
  supervised,
  type Task,
  tabular,
  tiny,
} from "../src/index.ts";

/** Answers are single letters whatever is asked, so that a table solves some of what it never saw. */
const task: Task = {
  ...runningSums(),
  verifier: {
    name: "an even last digit",
    version: 1,
    verify: (_, { text }) => ({ outcome: "scored", score: /[02468]$/.test(text) ? 1 : 0 }),
  },
  readProblem: (text, difficulty) => {
    const digits = text.replaceAll(/\D/g, "").slice(0, difficulty);
    return digits.length < difficulty ? undefined : runningSums().readProblem?.(`${digits}=`, difficulty);
  },
  readEdit: (text, difficulty) => {
    const digits = text.replaceAll(/\D/g, "");
    return digits.length <= difficulty
      ? undefined
      : [{ prompt: `s${digits.slice(0, difficulty)}=`, response: digits.at(-1) ?? "" }];
  },
  canaries: () =>
    runningSums()
      .canaries()
      .slice(0, 6)
      .map(({ item }, at) => ({ item, response: { text: String(at), complete: true }, right: at % 2 === 0 })),
};

async function playedBy(name: string, optimize: Method): Promise<readonly RunEvent[]> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-documents-"));
  try {
    const definition = defineRun({
      name,
      task,
      model: tiny({ layers: 1, width: 16, heads: 2 }),
      // What follows depends on one token alone: a table that goes beyond what it saw.
      engine: tabular({ deviation: 0, horizon: 1, backOff: 1 }),
      prepare: supervised({ on: roleDemonstrations({ noise: 0.35 }), steps: 60, learningRate: 0.1 }),
      acquire: [procedural({ difficulty: 4, items: 16 })],
      select: [],
      optimize,
      evaluate: { perStratum: 8, finalAuditPerStratum: 8 },
      gate: { mode: "observe", cap: 20 },
      guard: [],
      budget: { rounds: 1 },
    });
    const { events, outcome } = await run(definition, { folder });
    expect(outcome).toBe("rounds-spent");
    return events.map(({ event }) => event);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test.each<readonly [string, Method]>([
  ["absoluteZero", absoluteZero({ turns: 1, items: 8, proposals: 2, attempts: 4, samples: 4 })],
  ["spice", spice({ turns: 1, items: 8, proposals: 4, attempts: 4, samples: 4 })],
  ["drZero", drZero({ steps: 2, proposals: 8, items: 8, samples: 4, searches: 1 })],
  ["seal", seal({ items: 8, edits: 4, questions: 4, attempts: 4, keep: "improved", innerLearningRate: 0.5 })],
  ["quietStar", quietStar({ items: 8, steps: 2, samples: 4 })],
])("%s goes round once on the tabular engine, and learns something", async (name, optimize) => {
  const events = await playedBy(name, optimize);
  const [training] = events.flatMap((event) => (event.type === "training-finished" ? [event.evidence] : []));
  expect(training?.blocked ?? null).toBeNull();
  expect(Number(training?.tokensTrained)).toBeGreaterThan(0);
  expect(Number(training?.tokensSampled)).toBeGreaterThan(0);
});
