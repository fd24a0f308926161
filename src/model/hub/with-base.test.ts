import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fromFolder } from "./from-folder.ts";
import { importModel } from "./import-model.ts";
import { writeSmallFolder } from "./testing/model-folder.ts";

let project: string;
let adapters: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), "whetstone-adapters-"));
  adapters = join(project, "trained", "adapters");
  vi.stubEnv("WHETSTONE_CACHE", join(project, "cache"));
  await mkdir(adapters, { recursive: true });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(project, { recursive: true });
});

/** What `peft` leaves, with a base as its config names it. */
async function writeAdapters(base: string | null, weights = "adapter_model.safetensors"): Promise<void> {
  const config = { peft_type: "LORA", r: 4, lora_alpha: 8, base_model_name_or_path: base };
  await writeFile(join(adapters, "adapter_config.json"), JSON.stringify(config));
  await writeFile(join(adapters, weights), "weights");
  await writeFile(join(adapters, "README.md"), "a card");
}

const prepare = () =>
  fromFolder("./trained/adapters").prepare(join(project, "models"), {
    characters: "ab",
    projectFolder: project,
  });
const baseOf = async (path: string): Promise<unknown> =>
  JSON.parse(await readFile(join(path, "adapter_config.json"), "utf8")).base_model_name_or_path;
const refused = (code: string, ...words: readonly string[]) =>
  expect(prepare()).rejects.toMatchObject({
    code,
    category: "user",
    message: expect.stringMatching(new RegExp(words.join(".*"))),
  });

test("adapters are put together with the base that their config names, from their own folder or the project's", async () => {
  const base = await writeSmallFolder(project, "base");
  await writeAdapters("../../base");
  const prepared = await prepare();
  expect(prepared).toMatchObject({ fromScratch: false, adapters: { rank: 4 }, tokenizer: { endToken: 0 } });
  expect(await baseOf(prepared.path)).toBe(base);
  const files = await readdir(prepared.path);
  expect(files).toEqual(
    expect.arrayContaining(["config.json", "tokenizer.json", "adapter_model.safetensors"]),
  );
  expect(files).not.toEqual(expect.arrayContaining(["model.safetensors"]));
  // Found again, and its files are those of before.
  expect((await prepare()).path).toBe(prepared.path);
  await writeAdapters("base");
  const { path } = await prepare();
  expect(await baseOf(path)).toBe(base);
  // Other weights under the same path are another base, and other adapters others.
  await writeFile(join(base, "model.safetensors"), "other");
  expect((await prepare()).path).not.toBe(path);
  await writeFile(join(adapters, "adapter_model.safetensors"), "more weights");
  expect(await readdir(join(project, "models"))).toHaveLength(3);
  expect((await prepare()).path).not.toBe(path);
});

test("a tokenizer that came with the adapters takes the place of the base's", async () => {
  const base = await writeSmallFolder(project, "base");
  await writeAdapters(base);
  await writeFile(join(adapters, "tokenizer.json"), await readFile(join(base, "tokenizer.json")));
  await writeFile(join(base, "chat_template.jinja"), "{{ messages[0].content }}");
  expect((await prepare()).tokenizer.chat).toBeUndefined();
  await writeFile(join(adapters, "chat_template.jinja"), "{{ messages[0].content }}");
  expect((await prepare()).tokenizer.chat).toBeDefined();
});

test("a base is found among the models of the store, by its name there or on the hub", async () => {
  const { folder } = await importModel(await writeSmallFolder(project, "Small-1B"));
  for (const named of ["small-1b", "org/Small-1B"]) {
    await writeAdapters(named);
    expect(await baseOf((await prepare()).path)).toBe(folder);
  }
  const known = await importModel(await writeSmallFolder(project, "other"), { name: "smollm2-135m" });
  await writeAdapters("HuggingFaceTB/SmolLM2-135M-Instruct");
  expect(await baseOf((await prepare()).path)).toBe(known.folder);
  // The model that was not taught to chat is another one.
  await writeAdapters("HuggingFaceTB/SmolLM2-135M");
  await refused("base-missing", "HuggingFaceTB/SmolLM2-135M");
});

test("what is missing is said, with how to give it", async () => {
  await writeAdapters("org/Large-1B");
  await refused(
    "base-missing",
    'names "org/Large-1B" as its base',
    "whetstone model import PATH --name large-1b",
    "base_model_name_or_path",
  );
  await writeAdapters(null);
  await refused("base-missing", "does not say which model");
  await writeAdapters(".");
  await writeFile(join(adapters, "config.json"), "{}");
  await refused("base-missing", "holds adapters itself");
  await rm(join(adapters, "config.json"));
  await rm(join(adapters, "adapter_model.safetensors"));
  await writeAdapters(await writeSmallFolder(project, "base"), "adapter_model.bin");
  await refused("weights-missing", "adapter_model.bin", "only safetensors are read");
  await writeFile(join(adapters, "adapter_config.json"), "[]");
  await refused("config-invalid", "is not what peft writes");
  await expect(importModel(adapters)).rejects.toMatchObject({ code: "weights-missing" });
});
