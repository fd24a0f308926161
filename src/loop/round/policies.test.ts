import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { userError } from "../../foundation/base/index.ts";
import type { Engine, LoadOptions } from "../../foundation/contract/index.ts";
import { FakeModel, FakeSampler, letters } from "../../gro/rollout/testing/fakes.ts";
import { folderDigest } from "./folder-digest.ts";
import { EnginePolicies } from "./policies.ts";
import { SamplerShelf } from "./sampler-shelf.ts";

let folder: string;
let loaded: LoadOptions[];
let models: FakeModel[];
let policies: EnginePolicies;
let policiesOf: (keepMoments: boolean) => EnginePolicies;
/** Checkpoints whose moments were not kept. */
let bare: Set<string>;
let digests: Map<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "policies-"));
  [loaded, models, bare, digests] = [[], [], new Set(), new Map()];
  const engine = {
    createModel: async (options: LoadOptions) => {
      loaded.push(options);
      if (options.source.kind === "checkpoint" && options.source.optimizer && bare.has(options.source.path))
        throw userError("optimizer-missing", "It was saved without its optimiser.");
      const model = new FakeModel();
      models.push(model);
      return model;
    },
    loadSampler: async (options: LoadOptions) => {
      loaded.push(options);
      return new FakeSampler(() => "", options.source.path);
    },
  } as unknown as Engine;
  policiesOf = (keepMoments) =>
    new EnginePolicies({
      engine,
      tokenizer: letters,
      precision: "bf16",
      gradientCheckpointing: true,
      pathOf: (checkpoint) => join(folder, checkpoint),
      keepMoments,
      digests: {
        get: (name) => digests.get(name),
        set: (name, digest) => digests.set(name, digest),
        delete: (name) => digests.delete(name),
      },
    });
  policies = policiesOf(true);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("a copy is loaded without moments, beside what the role holds, and given back", async () => {
  await policies.open("solver", { checkpoint: "a", optimizerState: "continued" });
  const held = models[0];
  {
    await using copy = await policies.copy("solver", "a");
    expect(copy.policy).toMatchObject({ role: "solver", model: models[1], tokenizer: letters });
    expect(loaded[1]).toMatchObject({
      source: { kind: "checkpoint", path: join(folder, "a"), optimizer: false },
      precision: "bf16",
    });
    expect(models[1]?.disposed).toBe(false);
  }
  expect([models[1]?.disposed, held?.disposed]).toEqual([true, false]);
  // The role goes on with what it held.
  expect((await policies.open("solver", { checkpoint: "a", optimizerState: "continued" })).model).toBe(held);
});

describe("EnginePolicies", () => {
  const at = (checkpoint: string, optimizerState: "continued" | "fresh" = "continued") => ({
    checkpoint,
    optimizerState,
  });

  test("loads what is asked for, with its optimiser or without", async () => {
    const policy = await policies.open("solver", at("one"));
    expect(policy).toMatchObject({ role: "solver", model: models[0], tokenizer: letters });
    await policies.open("peer", at("one", "fresh"));
    expect(loaded.map(({ source }) => source)).toEqual([
      { kind: "checkpoint", path: join(folder, "one"), optimizer: true },
      { kind: "checkpoint", path: join(folder, "one"), optimizer: false },
    ]);
    expect(loaded[0]).toMatchObject({ precision: "bf16", gradientCheckpointing: true });
    expect(loaded[0]?.tokenBytes).toHaveLength(128);
  });

  test("weights that a role holds already are not loaded again; others take their place", async () => {
    await policies.open("solver", at("one"));
    await policies.open("solver", at("one"));
    expect(models).toHaveLength(1);
    for (const other of [at("two"), at("two", "fresh"), at("two")]) await policies.open("solver", other);
    expect(models).toHaveLength(4);
    expect(models.map(({ disposed }) => disposed)).toEqual([true, true, true, false]);
  });

  test("what was just saved is held under that name, its optimiser going on", async () => {
    await policies.open("solver", at("one", "fresh"));
    await policies.save("solver", "two");
    expect(models[0]?.saved).toEqual([join(folder, "two")]);
    await policies.open("solver", at("two"));
    expect(models).toHaveLength(1);
    // A fresh optimiser is not what is held.
    await policies.open("solver", at("two", "fresh"));
    expect(models).toHaveLength(2);
    await policies.open("solver", at("one", "fresh"));
    expect(models).toHaveLength(3);
  });

  test("a checkpoint whose files changed since it was saved is not loaded", async () => {
    await mkdir(join(folder, "one"));
    await writeFile(join(folder, "one", "weights"), "as saved");
    digests.set("one", (await folderDigest(join(folder, "one"))) ?? "");
    await policies.open("solver", at("one"));
    await policies.sampler("one");
    await writeFile(join(folder, "one", "weights"), "as spoilt");
    const later = policiesOf(true);
    for (const load of [later.open("solver", at("one")), later.sampler("one")])
      await expect(load).rejects.toMatchObject({ code: "checkpoint-damaged", category: "user" });
    expect(await folderDigest(join(folder, "nowhere"))).toBeNull();
  });

  test("moments that no round goes on with are kept only while training is unfinished", async () => {
    const thrifty = policiesOf(false);
    await thrifty.open("solver", at("one", "fresh"));
    await thrifty.save("solver", "half", { unfinished: true });
    await thrifty.save("solver", "whole");
    await policies.open("solver", at("one"));
    await policies.save("solver", "two");
    expect(models.flatMap(({ savedOptimizer }) => savedOptimizer)).toEqual([true, false, true]);
  });

  test("weights without their moments begin with new ones; any other fault is a fault", async () => {
    bare.add(join(folder, "one"));
    await policies.open("solver", at("one"));
    expect(loaded.map(({ source }) => source)).toMatchObject([{ optimizer: true }, { optimizer: false }]);
    const broken = policiesOf(true);
    models.length = 0;
    loaded.push = () => {
      throw new Error("the engine died");
    };
    await expect(broken.open("solver", at("two"))).rejects.toThrow("the engine died");
  });

  test("what an interruption left under a name makes way", async () => {
    await policies.open("solver", at("one"));
    await mkdir(join(folder, "two"));
    await writeFile(join(folder, "two", "half"), "");
    await policies.save("solver", "two");
    await expect(stat(join(folder, "two"))).rejects.toThrow(/ENOENT/);
  });

  test("makes new weights from a folder, and gives all back at the end", async () => {
    await policies.create("solver", "/model", 7);
    await policies.create("peer", "/model", undefined);
    expect(loaded.map(({ source }) => source)).toEqual([
      { kind: "folder", path: "/model", seed: 7 },
      { kind: "folder", path: "/model" },
    ]);
    await policies[Symbol.asyncDispose]();
    expect(models.every(({ disposed }) => disposed)).toBe(true);
  });

  test("a role that holds nothing cannot be saved", async () => {
    await expect(policies.save("judge", "x")).rejects.toThrow(/judge/);
  });

  test("a sampler is loaded from the files", async () => {
    expect((await policies.sampler("one")).weightVersion).toBe(join(folder, "one"));
    expect(loaded[0]).toMatchObject({
      source: { kind: "checkpoint", path: join(folder, "one"), optimizer: false },
      precision: "bf16",
    });
  });
});

describe("SamplerShelf", () => {
  const shelfOf = () => {
    const made: FakeSampler[] = [];
    const shelf = new SamplerShelf({
      tokenizer: letters,
      load: async (checkpoint) => {
        if (checkpoint === "gone") throw new Error("no such checkpoint");
        const sampler = new FakeSampler(() => "", checkpoint);
        made.push(sampler);
        return sampler;
      },
    });
    return { shelf, made };
  };

  test("loads each checkpoint once while it is kept", async () => {
    const { shelf, made } = shelfOf();
    const [first, second] = await Promise.all([shelf.get("solver", "one"), shelf.get("solver", "one")]);
    expect(first?.sampler).toBe(second?.sampler);
    await shelf.get("solver", "two");
    await shelf.keep(["two", "three"]);
    expect(made.map(({ disposed }) => disposed)).toEqual([true, false]);
    await shelf.get("solver", "two");
    await shelf.get("solver", "one");
    expect(made.map(({ weightVersion }) => weightVersion)).toEqual(["one", "two", "one"]);
    await shelf[Symbol.asyncDispose]();
    expect(made.every(({ disposed }) => disposed)).toBe(true);
  });

  test("one that could not be loaded is tried again, and does not keep the others from being given back", async () => {
    const { shelf, made } = shelfOf();
    await shelf.get("solver", "one");
    await expect(shelf.get("solver", "gone")).rejects.toThrow("no such checkpoint");
    await expect(shelf.get("solver", "gone")).rejects.toThrow("no such checkpoint");
    await shelf.keep([]);
    expect(made[0]?.disposed).toBe(true);
  });
});
