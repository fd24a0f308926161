import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../src/foundation/contract/index.ts";
import { estimateParameters, type TinyOptions, tiny } from "../src/model/engine/index.ts";
import { local } from "../src/model/engine/local/index.ts";
import { fromFolder } from "../src/model/hub/index.ts";

let folder: string;
let engine: Engine;
const needs = { characters: "0123456789=", projectFolder: "/nowhere" };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-models-"));
  engine = await local({ workers: 1 }).open({ logFolder: join(folder, "logs") });
}, 600_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe("tiny() on the local engine", () => {
  test.each<TinyOptions>([
    {},
    { layers: 1, width: 16, positions: "learned", maxPositions: 20 },
    { layers: 2, width: 32, heads: 4, keyValueHeads: 2, hidden: 24, positions: "rotary", tied: true },
  ])("is a model of as many parameters as its configuration says: %o", async (options) => {
    const { path } = await tiny(options).prepare(folder, needs);
    const config = JSON.parse(await readFile(join(path, "config.json"), "utf8"));
    await using model = await engine.createModel({ source: { kind: "folder", path, seed: 1 } });
    expect(model.info).toMatchObject({ parameters: estimateParameters(config), vocabularySize: 14 });
  });

  test("has the reference's number of parameters", async () => {
    const parametersOf = async (options: TinyOptions, characters: string): Promise<number> => {
      const { path } = await tiny(options).prepare(folder, { ...needs, characters });
      await using model = await engine.createModel({ source: { kind: "folder", path, seed: 1 } });
      return model.info.parameters;
    };
    expect(await parametersOf({ layers: 3, positions: "none" }, "0123456789=")).toBe(148_160);
    expect(await parametersOf({ layers: 2, positions: "learned", maxPositions: 34 }, "01")).toBe(100_416);
  });

  test("never writes padding or begin, and saves a folder that is a model with its tokenizer", async () => {
    const { path, tokenizer } = await tiny({ layers: 1, width: 16 }).prepare(folder, needs);
    await using model = await engine.createModel({ source: { kind: "folder", path, seed: 1 } });
    await using sampler = await model.snapshot();
    const prompt = Int32Array.of(tokenizer.beginToken as number, ...tokenizer.encode("12="));
    const [samples = []] = await sampler.sample([
      { prompt, samples: 200, seed: 1, parameters: { maxTokens: 10, temperature: 10 } },
    ]);
    const ids = new Set(samples.flatMap(({ tokens }) => Array.from(tokens)));
    expect([...ids].sort((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    const saved = join(folder, "saved");
    await model.save({ path: saved });
    expect(await fromFolder(saved).prepare(folder, needs)).toMatchObject({
      path: saved,
      fromScratch: false,
      tokenizer: { hash: tokenizer.hash },
    });
  });
});
