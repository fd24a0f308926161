import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tinyShape } from "../conformance/tiny-shape.ts";
import { mergeAdapters } from "./index.ts";
import { EngineHome } from "./testing/engine-home.ts";
import { train, vocabulary } from "./testing/small-engine.ts";

/** Of the plain path: transformers computes it, and is installed when it is first asked for. */
const config = {
  model_type: "phi",
  architectures: ["PhiForCausalLM"],
  ...tinyShape(vocabulary),
  initializer_range: 0.2,
};

const home = new EngineHome();
beforeAll(() => home.begin(), 600_000);
afterAll(() => home.end());
let modelFolder: string;
beforeAll(async () => {
  modelFolder = await home.model("phi", config);
});

test("a model that transformers computes learns, is saved, and is sampled from", async () => {
  const { architectures, untested } = await home.engine.capabilities();
  expect(architectures).toContain("phi");
  expect(untested.join()).toContain("published weights of the architectures that transformers computes");
  await using model = await home.engine.createModel({
    source: { kind: "folder", path: modelFolder, seed: 1 },
  });
  expect(model.info).toMatchObject({ vocabularySize: vocabulary, step: 0, maxPositions: 64 });
  const losses = await train(model, 60);
  expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 10);
  const path = join(home.folder, "saved");
  await model.save({ path });
  expect(JSON.parse(await readFile(join(path, "config.json"), "utf8"))).toEqual(config);
  await using sampler = await home.engine.loadSampler({
    source: { kind: "checkpoint", path, optimizer: false },
  });
  const [samples] = await sampler.sample([
    { prompt: Int32Array.of(3, 4), samples: 2, seed: 1, parameters: { maxTokens: 5, temperature: 0 } },
  ]);
  expect(samples?.map(({ tokens }) => [...tokens])).toEqual([
    [5, 6, 7, 8, 9],
    [5, 6, 7, 8, 9],
  ]);
  const start = Int32Array.of(1, 2, 3, 4);
  const [before] = await (await model.snapshot()).logprobs([start]);
  expect((await sampler.logprobs([start]))[0]).toEqual(before);
}, 600_000);

test("adapters over it learn, are saved apart, and are merged in a process that has never seen such a model", async () => {
  const source = { kind: "folder", path: modelFolder, seed: 1 } as const;
  await using base = await home.engine.loadSampler({ source });
  await using model = await home.engine.createModel({
    source,
    lora: { rank: 4, modules: ["attention", "mlp"] },
  });
  expect(model.info.lora).toEqual({ rank: 4, alpha: 32, modules: ["attention", "mlp"] });
  const losses = await train(model, 60);
  expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 2);
  const path = join(home.folder, "adapters");
  await model.save({ path });
  const named = JSON.parse(await readFile(join(path, "adapter_config.json"), "utf8"));
  expect(named.target_modules).toEqual(["q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"]);
  const to = join(home.folder, "merged");
  await mergeAdapters({ from: path, to, logFolder: join(home.folder, "logs") });
  const start = Int32Array.of(1, 2, 3, 4);
  const [before] = await base.logprobs([start]);
  const [expected] = await (await model.snapshot()).logprobs([start]);
  for (const loaded of [
    { kind: "checkpoint", path, optimizer: false },
    { kind: "folder", path: to },
  ] as const) {
    await using sampler = await home.engine.loadSampler({ source: loaded });
    const [scored] = await sampler.logprobs([start]);
    for (const [index, logprob] of (expected ?? []).entries())
      if (index > 0) expect(scored?.[index]).toBeCloseTo(logprob, 4);
  }
  expect((await base.logprobs([start]))[0]).toEqual(before);
  expect(expected?.[3]).not.toBeCloseTo(before?.[3] as number, 2);
}, 600_000);
