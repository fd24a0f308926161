import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { faultyDemos } from "../bench/demo-faults/faulty-demos.ts";
import { judgeDemo } from "../bench/demo-faults/judge-demo.ts";
import example from "../examples/reverse/whetstone.config.ts";
import {
  defineRun,
  demonstrations,
  rejectionSampling,
  reverse,
  run,
  supervised,
  verifier,
} from "../src/index.ts";

const quickly = defineRun({
  task: reverse(),
  prepare: supervised({ on: demonstrations(), steps: 30, learningRate: 3e-3 }),
  // Two models that know next to nothing would agree on what is wrong, and another guard would speak first.
  optimize: rejectionSampling({ reward: verifier(), update: supervised({ steps: 5 }) }),
  evaluate: { perStratum: 32, auditPerStratum: 16, finalAuditPerStratum: 16 },
});

// Seconds each where the machine has nothing else to do.
const timeout = 600_000;

describe.each(faultyDemos.filter(({ slow }) => slow !== true))("the demo with $fault", (demo) => {
  const { fault, quick = false, rounds = 3 } = demo;
  test("ends with the right decision and the right words", { timeout }, async ({ signal }) => {
    const folder = await mkdtemp(join(tmpdir(), "whetstone-demo-fault-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const definition = example.define({ fault });
    const { prepare, optimize, evaluate } = quickly;
    const small = quick ? { ...definition, prepare, optimize, evaluate } : definition;
    const played = await run({ ...small, budget: { ...small.budget, rounds } }, { folder, signal });
    expect(judgeDemo(demo, played).wrong).toEqual([]);
  });
});
