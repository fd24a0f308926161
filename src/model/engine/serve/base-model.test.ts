import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { baseModel } from "./base-model.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";

test("weights are drawn where a folder has none, and never where it has some that cannot be read", async () => {
  await using folder = await temporaryFolder();
  const { path } = folder;
  await writeFile(join(path, "config.json"), '{ "model_type": "llama" }');
  expect(baseModel("m", path).source()).toEqual({ kind: "folder", path, seed: 0 });
  for (const name of ["pytorch_model.bin", "model.Q4_1.gguf"]) {
    await writeFile(join(path, name), "");
    expect(() => baseModel("m", path)).toThrow(expect.objectContaining({ code: "weights-missing" }));
    expect(() => baseModel("m", path)).toThrow(name);
  }
  await writeFile(join(path, "model.safetensors"), "");
  expect(baseModel("m", path).source(3)).toEqual({ kind: "folder", path });
});
