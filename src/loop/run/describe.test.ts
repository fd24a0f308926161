import { describe, expect, test } from "vitest";
import type { Task, Verifier } from "../../foundation/contract/index.ts";
import { greedy, samples } from "../../gro/generate/index.ts";
import { gro } from "../../gro/method.ts";
import { agreement, verifier } from "../../gro/reward/index.ts";
import { supervised } from "../../gro/update/index.ts";
import { demonstrations, procedural } from "../../lifecycle/acquire/index.ts";
import { defaults, labelAccuracy } from "../../lifecycle/guard/index.ts";
import { bestOfN, selfConsistency } from "../../lifecycle/refine/index.ts";
import { deduplicate, solveRateBand } from "../../lifecycle/select/index.ts";
import { parity, reverse } from "../../world/task/index.ts";
import type { RunDefinition } from "../round/definition.ts";
import { definitionOf } from "../round/testing/fake-context.ts";
import { configHash, describeRun, protocolHash, weightsKey } from "./describe.ts";

const { evaluate, gate, model, engine } = definitionOf();
const methodOf = (rest: Partial<Parameters<typeof gro>[0]> = {}) =>
  gro({ generate: greedy(), reward: verifier(), update: supervised({ steps: 2, batch: 2 }), ...rest });

function judgedBy(change: Partial<Verifier>): Task {
  const { task } = definitionOf();
  return { ...task, verifier: { ...task.verifier, ...change } };
}

/** Everything that a person can write into a configuration, changed in one place each. */
const changes: Readonly<Record<string, Partial<RunDefinition>>> = {
  name: { name: "other" },
  "the model's options": { model: { ...model, description: { width: 32 } } },
  "the engine": { engine: { ...engine, name: "other" } },
  "the engine's options": { engine: { ...engine, description: { workers: 2 } } },
  task: { task: parity() },
  "the task's options": { task: reverse({ lengths: [1, 8], growTo: 10, measureTo: 12 }) },
  "the task's version": { task: { ...definitionOf().task, version: 2 } },
  "the verifier": { task: judgedBy({ name: "other", version: 1 }) },
  "the verifier's version": { task: judgedBy({ version: 2 }) },
  "the verifier's options": { task: judgedBy({ description: { ignoreCase: true } }) },
  prepare: { prepare: supervised({ on: demonstrations() }) },
  "prepare's options": { prepare: supervised({ on: demonstrations(), steps: 3 }) },
  "prepare's source": { prepare: supervised({ on: demonstrations({ items: 3 }) }) },
  acquire: { acquire: [demonstrations()] },
  "a source's options": { acquire: [demonstrations({ items: 3 })] },
  "another source": { acquire: [demonstrations(), procedural()] },
  "its difficulty": { acquire: [demonstrations(), procedural({ difficulty: 9 })] },
  select: { select: [deduplicate()] },
  "a selector's options": { select: [solveRateBand()] },
  "its band": { select: [solveRateBand({ low: 0.1 })] },
  reward: { optimize: methodOf({ reward: agreement() }) },
  generate: { optimize: methodOf({ generate: samples() }) },
  update: { optimize: methodOf({ update: supervised({ steps: 3, batch: 2 }) }) },
  replay: { optimize: methodOf({ update: supervised({ steps: 2, batch: 2, replay: { newest: 0.4 } }) }) },
  repeat: { optimize: methodOf({ repeat: 2 }) },
  start: { optimize: methodOf({ start: "base" }) },
  refine: { refine: bestOfN() },
  "its samples": { refine: bestOfN({ samples: 3 }) },
  "what is voted on": { refine: selfConsistency({ samples: 3, vote: (text) => text.slice(-1) }) },
  "what else is voted on": { refine: selfConsistency({ samples: 3, vote: (text) => text.slice(-2) }) },
  "validation items": { evaluate: { ...evaluate, perStratum: 9 } },
  "audit items": { evaluate: { ...evaluate, auditPerStratum: 9 } },
  "final audit items": { evaluate: { ...evaluate, finalAuditPerStratum: 9 } },
  guards: { guard: [] },
  "a guard's options": { guard: [...defaults().slice(0, 2), labelAccuracy({ warnBelow: 0.5 })] },
  "the gate's mode": { gate: { ...gate, mode: "observe" } },
  alpha: { gate: { ...gate, alpha: 0.01 } },
  "smallest gain": { gate: { ...gate, smallestGain: 0.02 } },
  cap: { gate: { ...gate, cap: 300 } },
  afterReject: { afterReject: "champion" },
  precision: { precision: "bf16" },
  "gradient checkpointing": { gradientCheckpointing: true },
  lora: { lora: { rank: 4 } },
  seed: { seed: 2 },
};

describe("configHash", () => {
  test("is the same for more rounds, and for parts that are made anew", () => {
    const hash = configHash(definitionOf());
    expect(configHash(definitionOf({ budget: { rounds: 99 } }))).toBe(hash);
    expect(configHash(definitionOf())).toBe(hash);
  });

  test("is another for everything else that can be written", () => {
    const hashes = new Map(
      Object.entries(changes).map(([name, change]) => [configHash(definitionOf(change)), name]),
    );
    hashes.set(configHash(definitionOf()), "nothing");
    const told = new Set(hashes.values());
    expect(Object.keys(changes).filter((name) => !told.has(name))).toEqual([]);
    expect(hashes.size).toBe(Object.keys(changes).length + 1);
  });

  test("the description is JSON, and says what a reader wants to know", () => {
    const description = describeRun(definitionOf({ acquire: [procedural()] }));
    expect(JSON.parse(JSON.stringify(description))).toEqual(description);
    expect(description).toMatchObject({
      name: "reverse",
      task: { name: "reverse", version: 1, lengths: "1-8" },
      acquire: [{ name: "procedural", difficulty: "next", items: 2048 }],
      optimize: { name: "gro", reward: { part: "verifier" } },
      guard: expect.arrayContaining([
        { name: "logprob mismatch" },
        { name: "label accuracy", warnBelow: 0.95 },
        { name: "diversity collapse", action: "roll-back", fall: 0.05 },
      ]),
      prepare: "default",
    });
    expect(description).not.toHaveProperty("budget");
  });
});

describe("protocolHash", () => {
  const matters = [
    "task",
    "the task's options",
    "the task's version",
    "refine",
    "its samples",
    "validation items",
    "alpha",
    "cap",
  ];
  test.each(matters)("changes with %s", (name) => {
    expect(protocolHash(definitionOf(changes[name]))).not.toBe(protocolHash(definitionOf()));
  });

  test("changes with the verifier and with the target distribution", () => {
    const { task } = definitionOf();
    const verifierTwo = { ...task, verifier: { ...task.verifier, version: 9 } };
    const heavier = {
      ...task,
      strata: task.strata.map((stratum) => ({ ...stratum, weight: stratum.weight * 2 })),
    };
    for (const other of [verifierTwo, heavier])
      expect(protocolHash(definitionOf({ task: other }))).not.toBe(protocolHash(definitionOf()));
  });

  test.each(["seed", "reward", "acquire", "the model's options", "afterReject", "the gate's mode"])(
    "does not depend on %s: such runs compare",
    (name) => {
      expect(protocolHash(definitionOf(changes[name]))).toBe(protocolHash(definitionOf()));
    },
  );
});

test("weightsKey is what adoption asks of weights", () => {
  expect(weightsKey(definitionOf({ seed: 4 }))).toBe(weightsKey(definitionOf()));
  expect(weightsKey(definitionOf(changes["the task's version"]))).not.toBe(weightsKey(definitionOf()));
  expect(weightsKey(definitionOf(changes.reward))).not.toBe(weightsKey(definitionOf()));
});
