import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tiny } from "../engine/index.ts";
import { characters } from "../text/index.ts";
import { fromFolder } from "./from-folder.ts";

let project: string;
let needs: { characters: string; projectFolder: string };

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), "whetstone-from-folder-"));
  needs = { characters: "01", projectFolder: project };
});
afterEach(() => rm(project, { recursive: true }));

async function modelFolder(files: Readonly<Record<string, string>>): Promise<string> {
  const path = join(project, "my-model");
  await mkdir(path);
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

const config = { "config.json": JSON.stringify({ model_type: "llama", eos_token_id: 2 }) };
const whole = { ...config, ...characters("01").files };
const prepare = (path = "./my-model") => fromFolder(path).prepare(join(project, "unused"), needs);
const refused = (code: string, message: string) =>
  expect(prepare()).rejects.toMatchObject({
    code,
    category: "user",
    message: expect.stringContaining(message),
  });

describe("fromFolder()", () => {
  test("finds the model beside the run's configuration, and knows whether it has weights", async () => {
    const path = await modelFolder(whole);
    expect(fromFolder("./my-model")).toMatchObject({ name: "my-model", description: { path: "./my-model" } });
    expect(await prepare()).toMatchObject({ path, fromScratch: true, tokenizer: { endToken: 2 } });
    expect(await prepare(path)).toMatchObject({ path });
    await writeFile(join(path, "model.safetensors.index.json"), "{}");
    expect(await prepare()).toMatchObject({ fromScratch: false });
  });

  test("is the same model as tiny(), whose tokenizer is the one that was written", async () => {
    const { path, tokenizer } = await tiny().prepare(project, needs);
    expect(await prepare(path)).toMatchObject({
      path,
      fromScratch: true,
      tokenizer: { hash: tokenizer.hash },
    });
  });

  test("says that a folder is missing, or no folder", async () => {
    await refused("model-missing", `There is no folder ${join(project, "my-model")}`);
    await expect(prepare("smolm2-135m")).rejects.toThrow("did you mean smollm2-135m?");
    await writeFile(join(project, "my-model"), "");
    await refused("model-missing", "There is no folder");
    expect(() => fromFolder("")).toThrow(expect.objectContaining({ code: "invalid-option" }));
  });

  test("says what a folder lacks", async () => {
    const path = await modelFolder({});
    await refused("config-missing", "has no config.json");
    await writeFile(join(path, "config.json"), "{");
    await refused("config-invalid", "is not JSON");
    await writeFile(join(path, "config.json"), config["config.json"]);
    await refused("tokenizer-missing", "has no tokenizer.json");
    await writeFile(join(path, "tokenizer.json"), "{");
    await refused("tokenizer-invalid", "is not JSON");
  });

  test("refuses a tokenizer that does not know the task's characters", async () => {
    await modelFolder(whole);
    needs = { ...needs, characters: "01=" };
    await refused("text-not-in-vocabulary", '"="');
  });

  test("never draws weights where there are some that it cannot read", async () => {
    await modelFolder({ ...whole, "pytorch_model.bin": "" });
    await refused("weights-missing", "pytorch_model.bin");
  });
});
