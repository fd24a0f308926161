import { mkdtemp, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fromFolder } from "./from-folder.ts";
import { importModel } from "./import-model.ts";
import { modelCalled, pretrained } from "./pretrained.ts";
import { removeModel, storedModels } from "./store.ts";
import { writeSmallFolder, writeSmallGguf } from "./testing/model-folder.ts";

let folder: string;
let needs: { readonly characters: string; readonly projectFolder: string };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-pretrained-"));
  needs = { characters: "ab", projectFolder: folder };
  vi.stubEnv("WHETSTONE_CACHE", join(folder, "cache"));
  vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

test("a known name is described by it, wherever its weights came from, and asks nothing of the network", async () => {
  expect(pretrained("smollm2-135m")).toMatchObject({
    name: "smollm2-135m",
    description: { model: "smollm2-135m" },
  });
  await importModel(await writeSmallGguf(folder), { name: "smollm2-135m" });
  const definition = pretrained("smollm2-135m");
  expect(definition.description).toEqual({ model: "smollm2-135m" });
  expect(await definition.prepare(folder, needs)).toMatchObject({
    path: join(folder, "cache", "models", "smollm2-135m"),
    fromScratch: false,
    tokenizer: { endToken: 0 },
  });
});

test("a name of one's own is described by what it stands for", async () => {
  const { sha256 } = await importModel(await writeSmallFolder(folder), { name: "mine" });
  expect(pretrained("mine").description).toEqual({ model: "mine", sha256 });
  expect(modelCalled("mine").description).toEqual({ model: "mine", sha256 });
  await removeModel("mine");
  expect(() => pretrained("mine")).toThrow(expect.objectContaining({ code: "model-missing" }));
});

test("other names are refused with the nearest one", async () => {
  expect(() => pretrained("smollm2-135M")).toThrow("did you mean smollm2-135m?");
  expect(() => pretrained("llama-4-behemoth")).toThrow("`whetstone model list` shows");
  expect(() => pretrained("")).toThrow(expect.objectContaining({ code: "invalid-option" }));
  // Without a slash it may still be a folder of the project: that is known when it is looked for.
  await expect(modelCalled("smollm-135m").prepare(folder, needs)).rejects.toThrow(
    "did you mean smollm2-135m?",
  );
  await writeSmallFolder(folder, "my-own");
  expect(await modelCalled("my-own").prepare(folder, needs)).toMatchObject({ path: join(folder, "my-own") });
});

test("a GGUF file is converted once, and again when it has changed", async () => {
  const path = await writeSmallGguf(folder, "tiny.gguf");
  const definition = modelCalled("tiny.gguf");
  expect(definition.description).toEqual({ path: "tiny.gguf" });
  const heard: string[] = [];
  const onProgress = (label: string): void => void heard.push(label);
  const first = await definition.prepare(folder, { ...needs, onProgress });
  expect(first).toMatchObject({ fromScratch: false, tokenizer: { endToken: 0 } });
  expect(heard).toContain("converting the weights");
  heard.length = 0;
  expect((await fromFolder(path).prepare(folder, { ...needs, onProgress })).path).toBe(first.path);
  // Touched, but the same: its digest finds it.
  const { mtimeMs } = await stat(path);
  await utimes(path, new Date(), new Date(mtimeMs + 5000));
  expect((await definition.prepare(folder, { ...needs, onProgress })).path).toBe(first.path);
  expect(heard).toEqual([]);
  expect(storedModels().map(({ name }) => name)).toEqual([expect.stringMatching(/^tiny-[0-9a-f]{12}$/)]);
  await expect(fromFolder("./gone.gguf").prepare(folder, needs)).rejects.toMatchObject({
    code: "model-missing",
  });
});
