import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock, userError } from "../../../foundation/base/index.ts";
import type { Datum, Engine, EngineModel, Tokenizer } from "../../../foundation/contract/index.ts";
import { tiny } from "../index.ts";
import { tabular } from "../tabular/index.ts";
import { RecoveringEngine, type Recovery } from "./index.ts";
import { type Fate, type MortalVerb, mortal } from "./testing/mortal-engine.ts";

const root = mkdtempSync(join(tmpdir(), "recovery-"));
afterAll(() => rmSync(root, { recursive: true }));
let modelFolder: string;
let tokenizer: Tokenizer;
beforeAll(async () => {
  const needs = { characters: "0123456789", projectFolder: "/nowhere" };
  ({ path: modelFolder, tokenizer } = await tiny().prepare(root, needs));
});

const crossEntropy = { loss: { name: "cross_entropy" } } as const;
const dataOf = (step: number): Datum[] => {
  const line = tokenizer.encode("0123456789".slice(step % 6, (step % 6) + 4));
  return [{ tokens: line.subarray(0, 3), targets: line.subarray(1), weights: new Float32Array(3).fill(1) }];
};
const train = (model: EngineModel, from: number, to: number): Promise<unknown> =>
  Promise.all(
    Array.from({ length: to - from }, (_, index) => [
      model.forwardBackward(dataOf(from + index), crossEntropy),
      model.optimStep({ learningRate: 0.1 }),
    ]).flat(),
  );
const asking = { samples: 4, seed: 5, parameters: { maxTokens: 6 } };

interface Told {
  readonly said: unknown[];
  readonly recoveries: Recovery[];
}

/** Everything that a run asks of an engine: steps in flight together, a snapshot over steps and a save, gradients over a save. */
async function story(fate: Fate, most?: number): Promise<Told> {
  const folder = mkdtempSync(join(root, "story-"));
  const inner = mortal(await tabular({ horizon: 3 }).open({ logFolder: folder }), fate);
  const recoveries: Recovery[] = [];
  await using engine: Engine = new RecoveringEngine(inner, {
    clock: systemClock,
    nameOf: (path) => basename(path),
    onRecovery: (recovery) => recoveries.push(recovery),
    ...(most === undefined ? {} : { most }),
  });
  const said: unknown[] = [];
  const model = await engine.createModel({ source: { kind: "folder", path: modelFolder, seed: 1 } });
  said.push(await train(model, 0, 4));
  {
    await using snapshot = await model.snapshot();
    said.push(snapshot.weightVersion, await snapshot.sample([{ prompt: tokenizer.encode("3"), ...asking }]));
    said.push(await Promise.all([model.forward(dataOf(2), crossEntropy), train(model, 4, 6)]));
    said.push(digestAfter(folder, await model.save({ path: join(folder, "first") })));
    said.push(await snapshot.logprobs([tokenizer.encode("3456")]));
  }
  await model.forwardBackward(dataOf(6), crossEntropy);
  said.push(digestAfter(folder, await model.save({ path: join(folder, "second") })));
  await model.optimStep({ learningRate: 0.1 });
  await using later = await model.snapshot();
  said.push(later.weightVersion, await train(model, 7, 9), await later.logprobs([tokenizer.encode("01234")]));
  const without = { path: join(folder, "third"), optimizer: false };
  said.push(digestAfter(folder, await model.save(without)), await train(model, 9, 11));
  await using loaded = await engine.loadSampler({
    source: { kind: "checkpoint", path: without.path, optimizer: false },
  });
  const asked = ["1", "2"].map((text) => ({ prompt: tokenizer.encode(text), ...asking }));
  said.push(loaded.weightVersion, await Promise.all([loaded.sample(asked), loaded.sample(asked.slice(1))]));
  said.push(digestAfter(folder, await model.save({ path: join(folder, "last") })));
  return { said: [...said, readdirSync(folder).sort()], recoveries };
}

/** Weights and moments, bit for bit. */
function digestAfter(folder: string, saved: { readonly path: string; readonly bytes: number }): unknown {
  const name = basename(saved.path);
  const files = ["table.safetensors", "optimizer.safetensors", "whetstone.json"];
  const held = files.flatMap((file) => {
    const path = join(folder, name, file);
    return existsSync(path) ? [createHash("sha256").update(readFileSync(path)).digest("hex")] : [];
  });
  return { name, bytes: saved.bytes, held };
}

/** What was said, without the numbers of calls, of which more were made. */
const unnumbered = (said: readonly unknown[]): unknown =>
  JSON.parse(JSON.stringify(said, (key, value) => (key === "sequence" ? undefined : value)));

const verbs: MortalVerb[] = [];
let whole: Told;
beforeAll(async () => {
  whole = await story((verb) => void verbs.push(verb));
});

/** Every fifth call, and one of each verb at least. */
const sampleOf = (offset: number): [number, MortalVerb][] =>
  [...verbs.entries()].filter(([index, verb]) => index % 5 === offset || verbs.indexOf(verb) === index);

describe("weights that outlive their worker", () => {
  test("without a death nothing is done twice", () => {
    expect(whole.recoveries).toEqual([]);
    expect(verbs.length).toBeGreaterThan(30);
    expect(whole.said[1]).toMatch(/@4$/);
  });

  test.each(["before", "after"] as const)(
    "a death at any call, %s it is done, and all is as if there had been none: answers, names and weights, bit for bit",
    async (end) => {
      for (const [index, verb] of sampleOf(end === "before" ? 0 : 2)) {
        const { said, recoveries } = await story((_, call) => (call === index + 1 ? end : undefined));
        expect([verb, index, unnumbered(said)]).toEqual([verb, index, unnumbered(whole.said)]);
        // Weights that were only being made were not lost.
        expect(recoveries.length > 0, `${verb} ${index}`).toBe(verb !== "createModel");
      }
    },
    120_000,
  );

  test("deaths one after the other, with answers between them, are survived too", async () => {
    const { said, recoveries } = await story((_, call) => (call % 17 === 0 ? "after" : undefined));
    expect(unnumbered(said)).toEqual(unnumbered(whole.said));
    expect(recoveries.length).toBeGreaterThan(1);
  });

  test("a checkpoint that was told of is never written again: it may be relied on, or have been taken away", async () => {
    let dies = false;
    const inner = mortal(await tabular().open({ logFolder: root }), () => {
      const dying = dies;
      dies = false;
      return dying ? "after" : undefined;
    });
    await using engine = new RecoveringEngine(inner, { clock: systemClock });
    await using model = await engine.createModel({ source: { kind: "folder", path: modelFolder, seed: 1 } });
    await train(model, 0, 2);
    const path = join(root, "told");
    await model.save({ path, optimizer: false });
    rmSync(path, { recursive: true });
    dies = true;
    await train(model, 2, 4);
    expect(existsSync(path)).toBe(false);
  });

  test("steps since the last checkpoint are made again, and no others", async () => {
    const last = verbs.lastIndexOf("save");
    const { recoveries } = await story((_, call) => (call === last + 1 ? "before" : undefined));
    // The last checkpoint with its moments is the second; what was sampled meanwhile is given back.
    expect(recoveries.map(({ weights, replayed, reason }) => ({ weights, replayed, reason }))).toEqual([
      { weights: "second", replayed: 5, reason: "worker-died" },
    ]);
  });
});

describe("what cannot be survived", () => {
  test("a call that kills every worker is told as it is, after three more", async () => {
    let deaths = 0;
    const steady: Fate = (verb) => {
      if (verb !== "optimStep") return undefined;
      deaths += 1;
      return "before";
    };
    await expect(story(steady)).rejects.toMatchObject({ code: "worker-died", category: "engine" });
    expect(deaths).toBe(4);
  });

  test("so is loading that does", async () => {
    let deaths = 0;
    const steady: Fate = (verb) => {
      if (verb !== "loadSampler") return undefined;
      deaths += 1;
      return "after";
    };
    await expect(story(steady, 1)).rejects.toMatchObject({ code: "worker-died" });
    expect(deaths).toBe(2);
  });

  test("an error that is no death is nobody's to mend, and the weights are held as they were", async () => {
    const inner = await tabular().open({ logFolder: root });
    await using engine = new RecoveringEngine(inner, { clock: systemClock });
    await using model = await engine.createModel({ source: { kind: "folder", path: modelFolder, seed: 1 } });
    const path = join(root, "taken");
    await model.save({ path });
    await expect(model.save({ path })).rejects.toMatchObject({ code: "save-exists" });
    expect(await model.optimStep({ learningRate: 0.1 })).toMatchObject({ step: 1 });
  });

  test("a checkpoint that cannot be loaded again is what is told", async () => {
    let calls = 0;
    const inner = await tabular().open({ logFolder: root });
    const fault = userError("checkpoint-damaged", "gone");
    const dying = mortal(inner, (verb) => (verb === "optimStep" ? "after" : undefined));
    const failing: Engine = {
      ...dying,
      createModel: (options) => {
        calls += 1;
        return calls === 1 ? dying.createModel(options) : Promise.reject(fault);
      },
    };
    await using engine = new RecoveringEngine(failing, { clock: systemClock });
    const model = await engine.createModel({ source: { kind: "folder", path: modelFolder, seed: 1 } });
    await expect(model.optimStep({ learningRate: 0.1 })).rejects.toBe(fault);
    await expect(model.forward(dataOf(0), crossEntropy)).rejects.toBe(fault);
  });
});
