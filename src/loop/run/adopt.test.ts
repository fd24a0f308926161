import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Ledger, openLedger } from "../../foundation/ledger/index.ts";
import { greedy } from "../../gro/generate/index.ts";
import { gro } from "../../gro/method.ts";
import { agreement, verifier } from "../../gro/reward/index.ts";
import { supervised } from "../../gro/update/index.ts";
import { copy, reverse } from "../../world/task/index.ts";
import type { RunDefinition } from "../round/definition.ts";
import { definitionOf, lineageOf } from "../round/testing/fake-context.ts";
import { adoptRun, rememberChampion } from "./adopt.ts";

let folder: string;
let ledger: Ledger;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adopt-"));
  ledger = openLedger({ folder });
});
afterEach(() => {
  ledger[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const adopt = (rest: Partial<RunDefinition> = {}) => {
  const { record, origin } = adoptRun(definitionOf(rest), ledger);
  return { id: record.id, origin };
};
const champion = lineageOf("1-reverse/round-3-solver", {
  round: 3,
  trainedTo: 11,
  rollouts: ["a"],
  selections: ["s"],
});
const edited = { evaluate: { ...definitionOf().evaluate, perStratum: 99 } };

describe("adoptRun", () => {
  test("the first of its name begins with nothing", () => {
    expect(adopt()).toEqual({ id: "1-reverse", origin: null });
  });

  test("the same configuration goes on, also with more rounds", () => {
    adopt();
    rememberChampion(definitionOf(), ledger, champion);
    expect(adopt()).toEqual({ id: "1-reverse", origin: null });
    expect(adopt({ budget: { rounds: 30 } })).toEqual({ id: "1-reverse", origin: null });
  });

  test("an edited one is a new run from the champion of its name, which keeps what it has learnt from", () => {
    adopt();
    rememberChampion(definitionOf(), ledger, champion);
    const expected = { id: "2-reverse", origin: { ...champion, round: 0 } };
    expect(adopt(edited)).toEqual(expected);
    // And is itself gone on with.
    rememberChampion(definitionOf(edited), ledger, lineageOf("2-reverse/round-1-solver"));
    expect(adopt(edited)).toEqual(expected);
    ledger[Symbol.dispose]();
    ledger = openLedger({ folder });
    expect(adopt(edited)).toEqual(expected);
  });

  test("going back to an older configuration is an edit too", () => {
    adopt();
    adopt(edited);
    rememberChampion(definitionOf(edited), ledger, champion);
    expect(adopt()).toEqual({ id: "3-reverse", origin: { ...champion, round: 0 } });
  });

  test("an edited one begins anew where no champion is known yet", () => {
    adopt();
    expect(adopt(edited)).toEqual({ id: "2-reverse", origin: null });
  });

  test("another name begins anew; both go on side by side", () => {
    adopt();
    rememberChampion(definitionOf(), ledger, champion);
    expect(adopt({ name: "control" })).toEqual({ id: "2-control", origin: null });
    expect(adopt()).toEqual({ id: "1-reverse", origin: null });
    expect(adopt({ name: "control" })).toEqual({ id: "2-control", origin: null });
  });

  test.each<[string, Partial<RunDefinition>]>([
    ["roles", { optimize: gro({ generate: greedy(), reward: agreement(), update: supervised() }) }],
    ["a model", { model: { ...definitionOf().model, description: { width: 128 } } }],
    ["an engine", { engine: { ...definitionOf().engine, name: "tabular" } }],
    ["a task", { task: copy({ lengths: [1, 8] }) }],
    ["another version of it", { task: { ...definitionOf().task, version: 2 } }],
    ["characters", { task: reverse({ lengths: [1, 8], alphabet: "ab" }) }],
  ])("weights that cannot train on are left: other %s", (_, rest) => {
    adopt();
    rememberChampion(definitionOf(), ledger, champion);
    expect(adopt(rest)).toEqual({ id: "2-reverse", origin: null });
  });

  test.each<[string, Partial<RunDefinition>]>([
    [
      "another method of the same roles",
      { optimize: gro({ generate: greedy(), reward: verifier(), update: supervised(), repeat: 2 }) },
    ],
    ["a task that reaches further", { task: reverse({ lengths: [1, 8], growTo: 20 }) }],
    ["an engine with other workers", { engine: { ...definitionOf().engine, description: { workers: 4 } } }],
    ["another seed", { seed: 5 }],
  ])("weights that can train on do: %s", (_, rest) => {
    adopt();
    rememberChampion(definitionOf(), ledger, champion);
    expect(adopt(rest)).toEqual({ id: "2-reverse", origin: { ...champion, round: 0 } });
  });
});
