import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../foundation/base/index.ts";
import type { Datum, Engine, EngineModel, Tokenizer } from "../../../foundation/contract/index.ts";
import { loadTokenizer } from "../../text/index.ts";
import { tiny } from "../index.ts";
import { TabularEngine, tabular } from "./index.ts";

const crossEntropy = { loss: { name: "cross_entropy" }, logprobs: "none" } as const;
const needs = { characters: "0123456789", projectFolder: "/nowhere" };

let folder: string;
let modelFolder: string;
let tokenizer: Tokenizer;
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-tabular-"));
  ({ path: modelFolder, tokenizer } = await tiny().prepare(folder, needs));
  engine = await tabular().open({ logFolder: folder });
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const newModel = (seed = 1, on = engine): Promise<EngineModel> =>
  on.createModel({ source: { kind: "folder", path: modelFolder, seed } });

/** Counts from each digit to the next ones. */
function counting(): Datum[] {
  return Array.from({ length: 7 }, (_, start) => {
    const line = tokenizer.encode("0123456789".slice(start, start + 4));
    return { tokens: line.subarray(0, 3), targets: line.subarray(1), weights: new Float32Array(3).fill(1) };
  });
}

async function train(model: EngineModel, steps: number): Promise<number> {
  const calls = Array.from({ length: steps }, () => {
    const pass = model.forwardBackward(counting(), crossEntropy);
    return Promise.all([pass, model.optimStep({ learningRate: 0.1 })]);
  });
  const results = await Promise.all(calls);
  return (results.at(-1)?.[0].lossSum ?? Number.NaN) / 21;
}

describe("the tabular engine", () => {
  test("learns, saves what it has learnt, and samples it", async () => {
    await using model = await newModel();
    expect(model.info).toEqual({ parameters: 0, vocabularySize: 13, step: 0, maxPositions: 2048 });
    expect(await train(model, 200)).toBeLessThan(0.02);
    const path = join(folder, "learnt");
    await model.save({ path });
    expect((await readdir(path)).sort()).toEqual([
      "config.json",
      "generation_config.json",
      "optimizer.safetensors",
      "table.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
      "whetstone.json",
    ]);
    expect((await loadTokenizer(path)).hash).toBe(tokenizer.hash);
    await using sampler = await engine.loadSampler({ source: { kind: "folder", path } });
    const prompt = tokenizer.encode("4");
    const [[sample] = []] = await sampler.sample([
      { prompt, samples: 1, seed: 1, parameters: { maxTokens: 3, temperature: 0 } },
    ]);
    expect(tokenizer.decode(sample?.tokens ?? new Int32Array())).toBe("567");
    // A new model made of a checkpoint begins to count anew.
    await using fresh = await engine.createModel({ source: { kind: "folder", path } });
    expect(fresh.info).toMatchObject({ step: 0, parameters: 13 * 21 });
    await using again = await engine.createModel({ source: { kind: "checkpoint", path, optimizer: true } });
    expect(again.info.step).toBe(200);
  });

  test("saves whole folders also when the one that it was made of is gone", async () => {
    await using first = await newModel();
    const [gone, path] = [join(folder, "gone"), join(folder, "whole")];
    await first.save({ path: gone });
    await using model = await engine.createModel({
      source: { kind: "checkpoint", path: gone, optimizer: true },
    });
    await rm(gone, { recursive: true });
    await model.save({ path });
    expect((await loadTokenizer(path)).hash).toBe(tokenizer.hash);
  });

  test("never samples what the model's folder suppresses", async () => {
    await using sampler = await engine.loadSampler({
      source: { kind: "folder", path: modelFolder, seed: 3 },
    });
    const prompt = tokenizer.encode("0");
    const [samples = []] = await sampler.sample([
      { prompt, samples: 300, seed: 1, parameters: { maxTokens: 5, temperature: 5 } },
    ]);
    const ids = new Set(samples.flatMap(({ tokens }) => Array.from(tokens)));
    expect([...ids].sort((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test("ends where the model's positions end, and refuses more", async () => {
    const { path } = await tiny({ positions: "learned", maxPositions: 6 }).prepare(folder, needs);
    await using model = await engine.createModel({ source: { kind: "folder", path, seed: 1 } });
    await using sampler = await model.snapshot();
    const ask = (prompt: string) =>
      sampler.sample([
        { prompt: tokenizer.encode(prompt), samples: 1, seed: 1, parameters: { maxTokens: 9 } },
      ]);
    const [[sample] = []] = await ask("0123");
    expect(sample).toMatchObject({ stopReason: "length", tokens: { length: 3 } });
    const whole = Int32Array.of(...tokenizer.encode("0123"), ...(sample?.tokens ?? []));
    const [{ logprobs: scored } = { logprobs: whole }] = (await sampler.score?.([whole])) ?? [];
    expect(scored.subarray(4)).toEqual(sample?.logprobs);
    await expect(sampler.score?.([Int32Array.of(...whole, 3)])).rejects.toMatchObject({ code: "too-long" });
    await expect(ask("0123456")).rejects.toMatchObject({ code: "too-long" });
    const tokens = tokenizer.encode("0123456");
    const datum = { tokens, targets: tokens, weights: new Float32Array(7) };
    await expect(model.forward([datum], crossEntropy)).rejects.toMatchObject({ code: "too-long" });
  });

  test("takes memory for what it writes, however high the limit is", async () => {
    const { path } = await tiny({ positions: "none" }).prepare(folder, needs);
    await using sampler = await engine.loadSampler({ source: { kind: "folder", path, seed: 1 } });
    const prompt = tokenizer.encode("12");
    const ask = async (maxTokens: number, stopTokens: readonly number[] = []) => {
      const parameters = { maxTokens, stopTokens, topLogprobs: 2 };
      return (await sampler.sample([{ prompt, samples: 3, seed: 4, parameters }]))[0] ?? [];
    };
    for (const { stopReason } of await ask(2 ** 31 - 1, [2, 3, 4, 5])) expect(stopReason).toBe("stop");
    const [long, short] = [await ask(300), await ask(70)];
    for (const [index, { tokens, logprobs, top }] of long.entries()) {
      expect(tokens.length).toBe(300);
      expect(tokens.subarray(0, 70)).toEqual(short[index]?.tokens);
      const [scored] = (await sampler.score?.([Int32Array.of(...prompt, ...tokens)], { top: 2 })) ?? [];
      expect(scored?.logprobs.subarray(2)).toEqual(logprobs);
      expect(scored?.top?.logprobs.subarray(4)).toEqual(top?.logprobs);
      expect(scored?.top?.tokens.subarray(4)).toEqual(top?.tokens);
    }
  });

  test("answers from the record of the last 64 calls, and says when an answer is forgotten", async () => {
    await using model = await newModel();
    const losses = [];
    for (let call = 0; call < 66; call++)
      losses.push((await model.forward(counting(), crossEntropy)).lossSum);
    const again = (sequence: number) => model.forward([], { ...crossEntropy, sequence });
    expect(await again(3)).toMatchObject({ sequence: 3, lossSum: losses[2] });
    await expect(again(2)).rejects.toMatchObject({ code: "sequence-forgotten" });
    expect(await model.forward(counting(), crossEntropy)).toMatchObject({ sequence: 67 });
  });

  test("refuses what was called behind a call that failed, before it was known to", async () => {
    await using model = await newModel();
    const calls = await Promise.allSettled([
      model.forwardBackward(counting(), crossEntropy),
      model.forwardBackward([], crossEntropy),
      model.optimStep({ learningRate: 0.1 }),
    ]);
    const codes = calls.map((call) => (call.status === "rejected" ? call.reason.code : call.value.sequence));
    expect(codes).toEqual([1, "bad-request", "sequence-gap"]);
    expect(await model.optimStep({ learningRate: 0.1 })).toMatchObject({ sequence: 2, step: 1 });
  });

  test("sees a call's data as they were when it was made", async () => {
    await using model = await newModel();
    const [datum] = counting() as [Datum];
    const pass = model.forward([datum], crossEntropy);
    datum.weights?.fill(0);
    expect((await pass).positions).toBe(3);
  });

  test("lets other work go on between its calls", async () => {
    await using model = await newModel();
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 0);
    while (turns < 3) await model.forward(counting(), crossEntropy);
    clearInterval(timer);
    expect(turns).toBe(3);
  });

  test("heeds signals, and goes on in order", async () => {
    await using model = await newModel();
    const abort = new AbortController();
    const waiting = model.forwardBackward(counting(), { ...crossEntropy, signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(model.optimStep({ learningRate: 1, signal: abort.signal })).rejects.toThrow("enough");
    expect(await model.optimStep({ learningRate: 1 })).toMatchObject({ sequence: 2, step: 1 });
    const source = { kind: "folder", path: modelFolder, seed: 1 } as const;
    await expect(engine.createModel({ source, signal: abort.signal })).rejects.toThrow("enough");
    await using sampler = await engine.loadSampler({ source });
    await expect(sampler.logprobs([Int32Array.of(3)], { signal: abort.signal })).rejects.toThrow("enough");
    await expect(tabular().open({ logFolder: folder, signal: abort.signal })).rejects.toThrow("enough");
  });

  test("takes no call after it, the model or the sampler was given back", async () => {
    const closing = await tabular().open({ logFolder: folder });
    const model = await newModel(1, closing);
    const [sampler, other] = [await model.snapshot(), await model.snapshot()];
    await sampler[Symbol.asyncDispose]();
    await expect(sampler.logprobs([Int32Array.of(3)])).rejects.toMatchObject({ code: "unknown-sampler" });
    await model[Symbol.asyncDispose]();
    await expect(model.optimStep({ learningRate: 1 })).rejects.toMatchObject({ code: "unknown-model" });
    expect(await other.logprobs([Int32Array.of(3, 4)])).toHaveLength(1);
    await closing[Symbol.asyncDispose]();
    await expect(other.logprobs([Int32Array.of(3)])).rejects.toMatchObject({ code: "engine-closed" });
    await expect(newModel(1, closing)).rejects.toMatchObject({ code: "engine-closed" });
    await expect(closing.capabilities()).rejects.toMatchObject({ code: "engine-closed" });
  });

  test("tells its cost by the clock that it was given", async () => {
    let now = 5000;
    const clock = { ...systemClock, monotonic: () => (now += 250) };
    const timed = new TabularEngine({ clock, reach: { horizon: 4, backOff: 1 }, deviation: 1 });
    await newModel(1, timed);
    expect(timed.cost()).toMatchObject({ busySeconds: 0.25, availableSeconds: 0.75, tokensTrained: 0 });
  });

  test("needs the tokens' bytes for stop strings", async () => {
    const source = { kind: "folder", path: modelFolder, seed: 1 } as const;
    await using without = await engine.loadSampler({ source });
    await using sampler = await engine.loadSampler({ source, tokenBytes: tokenizer.tokenBytes() });
    const request = { prompt: tokenizer.encode("0"), samples: 20, seed: 1 };
    const parameters = { maxTokens: 200, stopStrings: ["12", "7"] };
    await expect(without.sample([{ ...request, parameters }])).rejects.toMatchObject({ code: "bad-request" });
    const [samples = []] = await sampler.sample([{ ...request, parameters }]);
    for (const { tokens, stopReason } of samples) {
      const text = tokenizer.decode(tokens);
      expect(stopReason).toBe("stop");
      expect(text).toMatch(/(12|7)$/);
      expect(text.slice(0, -1)).not.toMatch(/12|7/);
    }
  });

  describe("reading folders", () => {
    const load = (path: string, seed?: number) =>
      engine.createModel({ source: { kind: "folder", path, ...(seed === undefined ? {} : { seed }) } });
    const refused = (loading: Promise<unknown>, code: string) =>
      expect(loading).rejects.toMatchObject({ code, category: "user" });
    let copies = 0;
    async function copyOf(path: string): Promise<string> {
      const copy = join(folder, `copy-${++copies}`);
      await cp(path, copy, { recursive: true });
      return copy;
    }

    test("names what is wrong with a model's folder", async () => {
      const empty = join(folder, "empty");
      await mkdir(empty);
      await refused(load(empty, 1), "config-missing");
      await refused(load(modelFolder), "weights-missing");
      for (const config of ["{", "{}", '{"vocab_size": 0}']) {
        await writeFile(join(empty, "config.json"), config);
        await refused(load(empty, 1), "config-invalid");
      }
      const network = await copyOf(modelFolder);
      await writeFile(join(network, "model.safetensors"), "");
      await refused(load(network, 1), "unsupported-architecture");
      const source = { kind: "folder", path: modelFolder, seed: 1 } as const;
      await refused(engine.createModel({ source, precision: "bf16" }), "unsupported-precision");
    });

    test("names what is wrong with a checkpoint", async () => {
      await using model = await newModel();
      await train(model, 3);
      const [whole, bare] = [join(folder, "trained"), join(folder, "bare")];
      await model.save({ path: whole });
      await model.save({ path: bare, optimizer: false });
      const restore = (path: string, optimizer = true) =>
        engine.createModel({ source: { kind: "checkpoint", path, optimizer } });
      await refused(restore(bare), "optimizer-missing");
      expect((await restore(bare, false)).info.step).toBe(3);
      const file = "table.safetensors";
      const { length } = await readFile(join(whole, file));
      for (const kept of [4, 40, length - 8]) {
        const cut = await copyOf(whole);
        await truncate(join(cut, file), kept);
        await refused(restore(cut), "weights-truncated");
      }
      const garbled = await copyOf(whole);
      await writeFile(
        join(garbled, "optimizer.safetensors"),
        Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d]),
      );
      await refused(restore(garbled), "weights-missing-tensor");
      const wider = await copyOf(whole);
      await writeFile(join(wider, "config.json"), '{"vocab_size": 17}');
      await refused(restore(wider), "weights-shape");
      const other = await copyOf(whole);
      await writeFile(join(other, "whetstone.json"), '{"format": 2}');
      await refused(restore(other), "config-invalid");
    });

    test("leaves nothing behind of a checkpoint that cannot be written", async () => {
      await using model = await newModel();
      const file = join(folder, "file");
      await writeFile(file, "");
      await expect(model.save({ path: join(file, "checkpoint") })).rejects.toMatchObject({
        code: "file-unreadable",
        category: "environment",
      });
      expect(await model.save({ path: join(folder, "deep", "down") })).toMatchObject({ sequence: 1 });
      expect(await readdir(join(folder, "deep"))).toEqual(["down"]);
    });
  });
});

describe("tabular()", () => {
  test("describes itself, and refuses what it does not know", () => {
    expect(tabular()).toMatchObject({
      name: "tabular",
      description: { horizon: 64, backOff: 8, deviation: 1 },
    });
    expect(tabular({ horizon: 3 }).description).toEqual({ horizon: 3, backOff: 3, deviation: 1 });
    const refused = (options: object, message: string) =>
      expect(() => tabular(options)).toThrow(
        expect.objectContaining({ code: "invalid-option", message: expect.stringContaining(message) }),
      );
    refused({ horizont: 3 }, 'did you mean "horizon"?');
    refused({ horizon: 3, backOff: 4 }, 'option "backOff": it is at most the horizon');
    refused({ deviation: -1 }, 'option "deviation"');
  });
});
