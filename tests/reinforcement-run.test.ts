import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runningSums } from "../bench/methods/running-sums.ts";
import { dapo, intuitor, type Method, ppo, reinforcePlusPlus, tabular } from "../src/index.ts";
import { tableRound } from "./table-rounds.ts";

const few = { items: 8, steps: 2 };

const trained = /[1-9]\d* tokens trained/;

test.each<readonly [string, Method, RegExp, deviation: number]>([
  ["dapo", dapo({ ...few, samples: 4, minibatches: 2, refill: 1 }), trained, 0],
  ["ppo", ppo({ ...few, criticSteps: 2, iterations: 2 }), trained, 0],
  // A table that never saw these items solves none of them: all rewards are 0.
  ["reinforcePlusPlus", reinforcePlusPlus(few), /nothing was learnt: none of 16 groups/, 0],
  // In a table of equal logits all answers are equally certain.
  ["intuitor", intuitor({ ...few, samples: 4 }), trained, 0.5],
])(
  "%s goes round once on the tabular engine, and says what it learnt, or why nothing",
  async (name, optimize, said, deviation) => {
    const folder = await mkdtemp(join(tmpdir(), "whetstone-reinforcement-"));
    try {
      const engine = tabular({ deviation });
      const events = await tableRound(folder, { name, task: runningSums(), engine, optimize, steps: 30 });
      expect(JSON.stringify(events)).toMatch(said);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
