import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { Demonstration, Item, Source } from "../../foundation/contract/index.ts";
import { greedy } from "../../gro/generate/index.ts";
import { gro } from "../../gro/method.ts";
import { agreement } from "../../gro/reward/index.ts";
import { letters } from "../../gro/rollout/testing/fakes.ts";
import { supervised } from "../../gro/update/index.ts";
import { demonstrations, procedural } from "../../lifecycle/acquire/index.ts";
import { drawItems } from "../../world/task/index.ts";
import { preparationBatches, preparationKey, preparationOf } from "./preparation.ts";
import { prepareStage } from "./prepare.ts";
import { definitionOf, FakeContext } from "./testing/fake-context.ts";

const peers = gro({ generate: greedy(), reward: agreement(), update: supervised({ steps: 1, batch: 2 }) });
const prepare = supervised({ on: demonstrations(), steps: 600, batch: 2 });
const scratch = { tokenizer: letters, path: "/model", fromScratch: true };

/** A prompt of another role, made of an item. */
const roleOf = (item: Item): Demonstration => {
  const prompt = `${item.prompt}${item.prompt}`;
  return { item: { ...item, prompt, canonical: prompt }, response: "y" };
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "prepare-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** So that what a run has saved is there, though a fake engine writes nothing. */
const writeCheckpoints = (round: FakeContext): void => {
  for (const path of round.models.flatMap(({ saved }) => saved)) mkdirSync(path, { recursive: true });
};

describe("preparationOf", () => {
  test("is what the run says; else a model from nothing learns demonstrations, and any other is taken as it is", () => {
    expect(preparationOf(definitionOf({ prepare }), true)).toBe(prepare);
    expect(preparationOf(definitionOf({ prepare }), false)).toBe(prepare);
    expect(preparationOf(definitionOf(), true)).toMatchObject({
      description: { steps: 1500 },
      learningRate: 3e-3,
      on: { name: "demonstrations" },
    });
    expect(preparationOf(definitionOf(), false)).toBeNull();
  });
});

describe("prepareStage", () => {
  test("trains every role from weights of its own, saved five times on the way, of which the last stays", async () => {
    using round = new FakeContext({ definition: { prepare, optimize: peers } });
    const lineage = await prepareStage(round.context, scratch);
    expect(lineage).toEqual({
      round: 0,
      checkpoints: { solver: "1-reverse/round-0-solver-600", peer: "1-reverse/round-0-peer-600" },
      trainedTo: 8,
      rollouts: [],
      selections: [],
    });
    expect(round.models).toHaveLength(2);
    for (const [index, role] of ["solver", "peer"].entries()) {
      const model = round.models[index];
      expect(model?.saved.map((path) => path.split("/").at(-1))).toEqual(
        [0, 120, 240, 360, 480, 600].map((step) => `round-0-${role}-${step}`),
      );
      expect(model?.steps).toHaveLength(600);
    }
    const [first, second] = round.models.map(({ trained }) =>
      trained.map(({ data }) => data.map(({ tokens }) => [...tokens])),
    );
    expect(first).not.toEqual(second);
    expect(round.context.run.events().map(({ event }) => event)).toContainEqual({
      type: "model-prepared",
      round: 0,
      checkpoint: "1-reverse/round-0-solver-600",
      loss: { steps: 600, means: Array.from({ length: 32 }, () => expect.any(Number)) },
      lineage: Array.from({ length: 10 }, () => expect.stringMatching(/^[0-9a-f]{64}$/)),
    });
  });

  test("says what every stretch of steps learnt from, unless no lineage is kept", async () => {
    using round = new FakeContext({ definition: { prepare } });
    await prepareStage(round.context, scratch);
    const [{ lineage = [] } = {}] = round.context.run
      .events()
      .flatMap(({ event }) => (event.type === "model-prepared" ? [event] : []));
    const [header, ...rows] = await round.context.ledger.artifacts.read(lineage[0] ?? "");
    expect(header).toMatchObject({
      stage: "prepare",
      steps: [0, 120],
      from: "1-reverse/round-0-solver-0",
      checkpoint: "1-reverse/round-0-solver-120",
      verifier: { name: "exact answer", version: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    const times = (rows as [string, number][]).reduce((sum, [, one]) => sum + one, 0);
    expect(times).toBe(120 * prepare.batch);
    using silent = new FakeContext({ definition: { prepare } });
    await prepareStage({ ...silent.context, lineage: false }, scratch);
    const prepared = silent.context.run.events().find(({ event }) => event.type === "model-prepared");
    expect(prepared?.event).not.toHaveProperty("lineage");
  });

  test("clips as it is told to", async () => {
    const unclipped = supervised({ on: demonstrations(), steps: 1, batch: 2, gradientClipNorm: 0 });
    using round = new FakeContext({ definition: { prepare: unclipped } });
    await prepareStage(round.context, scratch);
    expect(round.models[0]?.steps).toMatchObject([{ gradientClipNorm: 0 }]);
  });

  test("goes on from parts that were stored before losses were kept", async () => {
    using round = new FakeContext({ definition: { prepare } });
    const first = await prepareStage(round.context, scratch);
    const stored = new DatabaseSync(join(round.folder, ".whetstone/ledger.sqlite"));
    stored.exec("DELETE FROM steps WHERE name = 'round-0/prepare'");
    stored.exec(
      "UPDATE steps SET result = json_extract(result, '$.checkpoint') WHERE name LIKE '%/prepare/solver/_%0'",
    );
    stored.exec("UPDATE steps SET result = json_quote(result) WHERE name LIKE '%/prepare/solver/_%0'");
    stored.close();
    round.reopen();
    expect(await prepareStage(round.context, scratch)).toEqual(first);
    expect(round.models).toHaveLength(1);
  });

  test("goes on from the last checkpoint, with the batches that the whole would have had", async () => {
    using whole = new FakeContext({ definition: { prepare } });
    await prepareStage(whole.context, scratch);
    using round = new FakeContext({ definition: { prepare } });
    const safe = round.context.safePoint;
    let parts = 0;
    Object.assign(round.context, {
      safePoint: () => {
        parts += 1;
        if (parts === 4) throw new Error("asked to end");
        safe();
      },
    });
    await expect(prepareStage(round.context, scratch)).rejects.toThrow("asked to end");
    expect(round.models[0]?.steps).toHaveLength(120);
    round.reopen();
    const lineage = await prepareStage(round.context, scratch);
    expect(lineage.checkpoints).toEqual({ solver: "1-reverse/round-0-solver-600" });
    const [, resumed] = round.models;
    expect(resumed?.trained).toEqual(whole.models[0]?.trained.slice(120));
    expect(resumed?.steps).toEqual(whole.models[0]?.steps.slice(120));
  });

  test("takes what an earlier run of the folder prepared just so, where it is still there", async () => {
    using round = new FakeContext({ definition: { prepare } });
    const first = await prepareStage(round.context, scratch);
    writeCheckpoints(round);
    round.context.ledger.startRun({
      name: "other",
      configHash: "d",
      description: null,
      seed: 1,
      origin: null,
    });
    round.reopen();
    expect((await prepareStage(round.context, scratch)).checkpoints).toEqual(first.checkpoints);
    const summaries = round.context.run
      .events()
      .flatMap(({ event }) => (event.type === "stage-finished" ? [event.summary] : []));
    expect(summaries.at(-1)).toMatch(/^one model: .*, made by an earlier run here$/);
    expect(round.models).toHaveLength(1);
    rmSync(round.context.ledger.checkpointPath(first.checkpoints.solver ?? ""), { recursive: true });
    round.context.ledger.startRun({
      name: "third",
      configHash: "e",
      description: null,
      seed: 1,
      origin: null,
    });
    round.reopen();
    expect((await prepareStage(round.context, scratch)).checkpoints).toEqual({
      solver: "3-third/round-0-solver-600",
    });
    expect(round.models).toHaveLength(2);
  });

  test("a model that is taken as it is, is saved as it is", async () => {
    using round = new FakeContext();
    const lineage = await prepareStage(round.context, { ...scratch, path: folder, fromScratch: false });
    expect(lineage.checkpoints).toEqual({ solver: "1-reverse/round-0-solver-0" });
    expect(round.models[0]?.log).toEqual(["save"]);
  });

  test("peers that would all be the same model are refused", async () => {
    using round = new FakeContext({ definition: { optimize: peers } });
    await expect(
      prepareStage(round.context, { ...scratch, path: folder, fromScratch: false }),
    ).rejects.toMatchObject({ code: "peers-alike", category: "user" });
    expect(round.context.run.events()).toEqual([]);
  });

  test("roles that begin alike are prepared once, and begin with the same weights", async () => {
    const alike = { ...peers, alike: true } as const;
    using round = new FakeContext({ definition: { prepare, optimize: alike } });
    const { checkpoints } = await prepareStage(round.context, scratch);
    const prepared = "1-reverse/round-0-solver-600";
    expect(checkpoints).toEqual({ solver: prepared, peer: prepared });
    expect(round.models).toHaveLength(1);
    using trained = new FakeContext({ definition: { optimize: alike } });
    const taken = await prepareStage(trained.context, { ...scratch, path: folder, fromScratch: false });
    expect(taken.checkpoints).toEqual({
      solver: "1-reverse/round-0-solver-0",
      peer: "1-reverse/round-0-solver-0",
    });
  });
});

describe("preparationKey", () => {
  const keyOf = (rest = {}, model = scratch, role = "solver"): string => {
    const definition = definitionOf({ prepare, ...rest });
    return preparationKey(definition, role, preparationOf(definition, model.fromScratch), model);
  };

  test("is one for what makes the same weights, and another for all else", () => {
    expect(keyOf({ name: "another", afterReject: "champion", budget: { rounds: 9 } })).toBe(keyOf());
    expect(keyOf({}, { ...scratch, path: "/elsewhere" })).toBe(keyOf());
    const others = [
      keyOf({}, scratch, "peer"),
      keyOf({ seed: 2 }),
      keyOf({ precision: "bf16" }),
      keyOf({ prepare: supervised({ on: demonstrations({ items: 5 }), steps: 600, batch: 2 }) }),
      keyOf({ prepare: supervised({ on: demonstrations(), steps: 601, batch: 2 }) }),
      keyOf({ prepare: null }),
      keyOf({ model: { ...definitionOf().model, description: { width: 3 } } }),
      keyOf({ engine: { ...definitionOf().engine, name: "other" } }),
    ];
    expect(new Set([keyOf(), ...others]).size).toBe(others.length + 1);
  });

  test("other weights under the same path are other weights", () => {
    const given = { tokenizer: letters, path: folder, fromScratch: false };
    writeFileSync(join(folder, "model.safetensors"), "one");
    utimesSync(join(folder, "model.safetensors"), 1, 1);
    const before = keyOf({}, given);
    expect(keyOf({}, given)).toBe(before);
    writeFileSync(join(folder, "model.safetensors"), "two");
    expect(keyOf({}, given)).not.toBe(before);
  });
});

describe("preparationBatches", () => {
  test("are drawn anew each step where there is no end, and the same again for a step", async () => {
    using round = new FakeContext({ definition: { prepare } });
    const batchAt = await preparationBatches(round.context, "solver", prepare);
    expect(batchAt(3)).toEqual(batchAt(3));
    expect(batchAt(3)).not.toEqual(batchAt(4));
    expect(batchAt(0)?.data).toHaveLength(2);
    expect(batchAt(0)?.examples.map(({ writer }) => writer)).toEqual(batchAt(0)?.examples.map(() => null));
    const other = await preparationBatches(round.context, "peer", prepare);
    expect(other(3)).not.toEqual(batchAt(3));
  });

  test("are picked from what there is where a source ends", async () => {
    const { draw: _, ...ending } = demonstrations({ items: 3 });
    using round = new FakeContext();
    const batchAt = await preparationBatches(round.context, "solver", supervised({ on: ending, batch: 64 }));
    const prompts = new Set(
      Array.from({ length: 20 }, (__, step) => batchAt(step)?.data.map(({ tokens }) => tokens.join())).flat(),
    );
    expect(prompts.size).toBeLessThanOrEqual(3);
    expect(batchAt(0)?.data).toHaveLength(3);
  });

  test("items of another split are refused, drawn or listed, whatever they say of themselves", async () => {
    using round = new FakeContext();
    const { task } = round.context.definition;
    const honest = demonstrations();
    const leaking = (shown: (item: Item) => Demonstration): Source => ({
      ...honest,
      name: "found on a disk",
      draw: (of, count, random) =>
        drawItems({ task: of, difficulty: 8, split: "decision", count, random }).map(shown),
      acquire: async ({ random }) => ({
        items: [],
        demonstrations: drawItems({ task, difficulty: 8, split: "audit", count: 3, random }).map(shown),
      }),
    });
    const lying = leaking((item) => ({ item: { ...item, split: "train" }, response: "?" }));
    const batchAt = await preparationBatches(round.context, "solver", supervised({ on: lying, batch: 4 }));
    expect(() => batchAt(0)).toThrow(/found on a disk, where of 4 items 4 of the decision split/);
    const { draw: _, ...listed } = lying;
    await expect(
      preparationBatches(round.context, "solver", supervised({ on: listed })),
    ).rejects.toMatchObject({
      code: "foreign-items",
      category: "user",
      details: { audit: 3 },
    });
    // A judge's prompt is about an item, and it is that item's split that counts.
    const asked = leaking((item) => ({ ...roleOf(item), about: item }));
    const judged = await preparationBatches(round.context, "solver", supervised({ on: asked, batch: 4 }));
    expect(() => judged(0)).toThrow(/4 of the decision split/);
    // Nor does another item lend its split to one that is taught itself.
    const [training] = drawItems({
      task,
      difficulty: 8,
      split: "train",
      count: 1,
      random: randomStream(1, "training"),
    });
    const hidden = leaking((item) => ({ item, response: "?", about: training as Item }));
    const shown = await preparationBatches(round.context, "solver", supervised({ on: hidden, batch: 4 }));
    expect(() => shown(0)).toThrow(/4 of the decision split/);
    const own: Source["draw"] = (of, count, random) =>
      (honest.draw?.(of, count, random) ?? []).map(({ item }) => ({ ...roleOf(item), about: item }));
    const taught = await preparationBatches(
      round.context,
      "solver",
      supervised({ on: { ...honest, draw: own }, batch: 64 }),
    );
    expect(taught(0)?.data).toHaveLength(64);
  });

  test("a source that brings no demonstrations is refused", async () => {
    using round = new FakeContext();
    const empty: Source = procedural();
    await expect(
      preparationBatches(round.context, "solver", supervised({ on: empty })),
    ).rejects.toMatchObject({
      code: "no-demonstrations",
      category: "user",
    });
  });
});
