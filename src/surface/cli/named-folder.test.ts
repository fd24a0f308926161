import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { importModel } from "../../model/hub/index.ts";
import { writeSmallFolder } from "../../model/hub/testing/model-folder.ts";
import { modelFolder, nameAndFolder } from "./named-folder.ts";

let folder: string;
const bringing = { onProgress: () => undefined, signal: new AbortController().signal };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-named-"));
  vi.stubEnv("WHETSTONE_CACHE", join(folder, "cache"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

test("a name and a folder are cut at the first sign", () => {
  expect(nameAndFolder("org/tiny=/a=b/c")).toEqual(["org/tiny", "/a=b/c"]);
  expect(nameAndFolder("org/tiny=")).toEqual(["org/tiny", ""]);
  expect(nameAndFolder("org/tiny")).toEqual(["org/tiny", undefined]);
});

test("a folder is taken as it is, a name is looked for in the store, and adapters come with their base", async () => {
  const base = await writeSmallFolder(folder, "base");
  await rm(join(base, "tokenizer.json"));
  expect(await modelFolder(base, join(folder, "into"), bringing)).toBe(base);
  const stored = await importModel(await writeSmallFolder(folder, "mine"));
  expect(await modelFolder("mine", join(folder, "into"), bringing)).toBe(stored.folder);
  const adapters = join(folder, "adapters");
  await mkdir(adapters);
  const config = { peft_type: "LORA", r: 2, base_model_name_or_path: "mine" };
  await writeFile(join(adapters, "adapter_config.json"), JSON.stringify(config));
  await writeFile(join(adapters, "adapter_model.safetensors"), "");
  expect(await modelFolder(adapters, join(folder, "into"), bringing)).toMatch(/into\/adapters-[0-9a-f]{12}$/);
});
