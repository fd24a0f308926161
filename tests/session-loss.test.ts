import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../src/foundation/base/index.ts";
import type { Datum, Engine, EngineModel } from "../src/foundation/contract/index.ts";
import { RecoveringEngine, type Recovery } from "../src/model/engine/recovery/index.ts";
import { modelName, tinyFolder } from "../src/model/engine/serve/testing/wire-client.ts";
import { tinker } from "../src/model/engine/tinker/index.ts";
import { Restarting } from "./restarting-server.ts";

const source = { kind: "folder", path: tinyFolder, seed: 3 } as const;
const loss = { name: "cross_entropy" } as const;
const datum: Datum = {
  tokens: Int32Array.of(3, 4, 5),
  targets: Int32Array.of(4, 5, 6),
  weights: Float32Array.of(1, 1, 1),
};
const step = async (model: EngineModel): Promise<void> => {
  await model.forwardBackward([datum], { loss });
  await model.optimStep({ learningRate: 0.1 });
};
const logprobs = async (model: EngineModel): Promise<number[]> => {
  const { logprobs: read } = await model.forward([datum], { loss });
  return read.flatMap((values) => Array.from(values));
};

async function opened(server: Restarting): Promise<{ engine: Engine; recoveries: Recovery[] }> {
  const inner = await tinker({ baseUrl: server.url, apiKey: "k", model: modelName }).open({ logFolder: "" });
  const recoveries: Recovery[] = [];
  const engine = new RecoveringEngine(inner, {
    clock: systemClock,
    onRecovery: (recovery) => recoveries.push(recovery),
  });
  onTestFinished(() => engine[Symbol.asyncDispose]());
  return { engine, recoveries };
}

/** A model that has learnt a step and was saved then. */
async function saved(engine: Engine, { folder }: Restarting): Promise<{ model: EngineModel; path: string }> {
  const path = join(folder, "saved");
  const model = await engine.createModel({ source });
  await step(model);
  await model.save({ path });
  return { model, path };
}

describe("a server that is started again", () => {
  test("is gone on with: models are loaded from their last checkpoint, and what came after is made again", async () => {
    await using server = await Restarting.begin();
    const { engine, recoveries } = await opened(server);
    const path = join(server.folder, "saved");
    // Nobody interrupts this one.
    const calm = await engine.createModel({ source });
    for (let steps = 0; steps < 4; steps++) await step(calm);
    const expected = await logprobs(calm);

    const model = await engine.createModel({ source });
    await step(model);
    await step(model);
    await model.save({ path });
    await step(model);
    const { tokensTrained } = engine.cost();
    await server.again();
    await step(model);
    expect(await logprobs(model)).toEqual(expected);
    expect(recoveries).toMatchObject([{ reason: "session-lost", weights: path, replayed: 1 }]);
    // What was paid for twice is counted twice, and nothing is forgotten.
    expect(engine.cost().tokensTrained).toBe(tokensTrained + 6);
    expect(await logprobs(calm)).toEqual(expected);
    expect(recoveries[1]).toMatchObject({ weights: tinyFolder, replayed: 4 });
  });

  test("samplers are loaded again, of checkpoints and of weights in training", async () => {
    await using server = await Restarting.begin();
    const { engine } = await opened(server);
    const { model, path } = await saved(engine, server);
    const loaded = await engine.loadSampler({ source: { kind: "checkpoint", path, optimizer: false } });
    const taken = await model.snapshot();
    await step(model);
    const request = { prompt: datum.tokens, samples: 2, seed: 1, parameters: { maxTokens: 3 } };
    const [one, other] = [await loaded.sample([request]), await taken.sample([request])];
    expect(one).toEqual(other);
    await server.again();
    expect(await loaded.sample([request])).toEqual(one);
    expect(await taken.sample([request])).toEqual(one);
  });

  test("is waited for while it is not there", async () => {
    await using server = await Restarting.begin();
    const { engine, recoveries } = await opened(server);
    const model = await engine.createModel({ source });
    await step(model);
    const expected = await logprobs(model);
    await server.end();
    const asked = logprobs(model);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await server.start();
    expect(await asked).toEqual(expected);
    expect(recoveries).toHaveLength(1);
  });

  test("without its checkpoints it is a named error that says what to do", async () => {
    await using server = await Restarting.begin();
    const { engine } = await opened(server);
    const { model, path } = await saved(engine, server);
    await server.again("another-state");
    await expect(step(model)).rejects.toMatchObject({
      code: "checkpoint-missing",
      category: "environment",
      message: expect.stringContaining("Start it on the folder that has them"),
    });
    const checkpoint = { kind: "checkpoint", path, optimizer: false } as const;
    await expect(engine.loadSampler({ source: checkpoint })).rejects.toMatchObject({
      code: "checkpoint-missing",
    });
    // Of what needs none of them the server still makes new ones.
    await using _new = await engine.createModel({ source });
  });
});
