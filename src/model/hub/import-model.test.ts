import { mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadTokenizer } from "../text/index.ts";
import { importModel } from "./import-model.ts";
import { removeModel, storedModels } from "./store.ts";
import { writeSmallFolder, writeSmallGguf } from "./testing/model-folder.ts";

let folder: string;
let options: { readonly environment: Readonly<Record<string, string>> };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-import-"));
  options = { environment: { WHETSTONE_CACHE: join(folder, "cache") } };
});
afterEach(() => rm(folder, { recursive: true }));

test("a GGUF file becomes a model with a name made from its own", async () => {
  const path = await writeSmallGguf(folder);
  const model = await importModel(path, options);
  expect(model).toMatchObject({
    name: "small-model",
    source: { kind: "file", path },
    parameters: 2016,
    quantisation: "F32",
    licence: "mit",
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect((await loadTokenizer(model.folder)).endToken).toBe(0);
  // The same again is no mistake; another one under its name is.
  expect(await importModel(path, options)).toEqual(model);
  const other = await writeSmallFolder(folder, "other");
  await expect(importModel(other, { ...options, name: "small-model" })).rejects.toMatchObject({
    code: "model-exists",
    message: expect.stringContaining("--name"),
  });
});

test("a Hugging Face folder is copied, without what is not needed", async () => {
  const path = await writeSmallFolder(folder);
  await writeFile(join(path, "training-notes.md"), "much");
  const { folder: copy, ...model } = await importModel(path, { ...options, name: "mine" });
  expect(model).toMatchObject({ name: "mine", source: { kind: "folder", path }, parameters: 2016 });
  expect((await readdir(copy)).sort()).toEqual([
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "whetstone-model.json",
  ]);
  await removeModel("mine", options);
  expect(storedModels(options)).toEqual([]);
});

test("what is no model is refused, and nothing is stored", async () => {
  const refused = (path: string, code: string, message: RegExp) =>
    expect(importModel(path, options)).rejects.toMatchObject({
      code,
      category: "user",
      message: expect.stringMatching(message),
    });
  await refused(join(folder, "nowhere"), "model-missing", /no file or folder .*nowhere/);
  await writeFile(join(folder, "notes.gguf"), "Dear diary");
  await refused(join(folder, "notes.gguf"), "gguf-invalid", /does not begin with GGUF/);
  const cut = await writeSmallGguf(folder, "cut.gguf");
  await truncate(cut, 2000);
  await refused(cut, "gguf-truncated", /ends after 2,000 bytes/);
  const path = await writeSmallFolder(folder);
  const config = JSON.parse(await readFile(join(path, "config.json"), "utf8"));
  await writeFile(join(path, "config.json"), JSON.stringify({ ...config, model_type: "mamba" }));
  await refused(
    path,
    "unsupported-architecture",
    /model_type "mamba", .* llama, mistral, qwen2, qwen3, smollm3, and more slowly .*gemma3_text/,
  );
  await writeFile(join(path, "config.json"), JSON.stringify(config));
  // Weights that the copy would not have are not taken for none: those would be drawn at random.
  const weights = join(path, "model.safetensors");
  const elsewhere = join(path, "consolidated.safetensors");
  await rename(weights, elsewhere);
  await refused(path, "weights-missing", /not in a file called model\.safetensors/);
  const index = join(path, "model.safetensors.index.json");
  await writeFile(index, JSON.stringify({ weight_map: { "model.norm.weight": "consolidated.safetensors" } }));
  await refused(path, "weights-missing", /names consolidated\.safetensors, which is not/);
  await writeFile(index, "{");
  await refused(path, "weights-missing", /no index of weights/);
  await rm(index);
  await rm(elsewhere);
  await refused(path, "weights-missing", /no weights/);
  await writeSmallGguf(path, "inside.gguf");
  await refused(path, "weights-missing", /name that one instead of the folder, .*inside\.gguf/);
  await rm(join(path, "inside.gguf"));
  await rm(join(path, "config.json"));
  await refused(path, "config-missing", /no config\.json/);
  expect(storedModels(options)).toEqual([]);
  await expect(importModel(cut, { ...options, name: "a/b" })).rejects.toMatchObject({
    code: "invalid-model-name",
  });
});
