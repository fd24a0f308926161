import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addModel, checkModelName, type Filled, removeModel, storedModel, storedModels } from "./store.ts";

let cache: string;
let environment: { readonly WHETSTONE_CACHE: string };
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "whetstone-store-"));
  environment = { WHETSTONE_CACHE: cache };
});
afterEach(() => rm(cache, { recursive: true }));

const filled: Filled = {
  source: { kind: "folder", path: "/somewhere" },
  sha256: "0".repeat(64),
  parameters: 8,
  quantisation: null,
  licence: null,
};
const fill = async (folder: string): Promise<Filled> => {
  await writeFile(join(folder, "config.json"), "{}");
  return filled;
};
const left = async () =>
  (await readdir(join(cache, "models"))).filter((name) => !name.endsWith(".lock")).sort();

test("a model is filled once, found again, and removed", async () => {
  expect(storedModels({ environment })).toEqual([]);
  const added = await addModel("mine", { environment }, fill);
  expect(added).toMatchObject({ ...filled, name: "mine", folder: join(cache, "models", "mine"), format: 1 });
  expect(Date.parse(added.added)).not.toBeNaN();
  const again = await addModel("mine", { environment }, () => Promise.reject(new Error("filled again")));
  expect(again).toEqual(added);
  expect(storedModels({ environment })).toEqual([added]);
  expect((await removeModel("mine", { environment })).bytes).toBeGreaterThan(2);
  expect(await left()).toEqual([]);
  await expect(removeModel("mine", { environment })).rejects.toMatchObject({ code: "model-missing" });
});

test("of two at once one fills and the other waits for it", async () => {
  const heard: string[] = [];
  let fillings = 0;
  const slow = async (folder: string): Promise<Filled> => {
    fillings++;
    while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return await fill(folder);
  };
  const options = { environment, onProgress: (label: string) => void heard.push(label) };
  const [one, two] = await Promise.all([addModel("mine", options, slow), addModel("mine", options, slow)]);
  expect(one).toEqual(two);
  expect(fillings).toBe(1);
  expect(heard[0]).toBe("waiting: another process is adding mine");
});

test("what fails, or is interrupted, leaves nothing; what a killed process left is in nobody's way", async () => {
  const failing = addModel("mine", { environment }, async (folder) => {
    await fill(folder);
    throw new Error("the cable was pulled");
  });
  await expect(failing).rejects.toThrow("the cable was pulled");
  expect(await left()).toEqual([]);
  await mkdir(join(cache, "models", ".mine.writing"));
  await writeFile(join(cache, "models", ".mine.writing", "half"), "");
  await mkdir(join(cache, "models", "mine"));
  expect(storedModel("mine", { environment })).toBeUndefined();
  const { folder } = await addModel("mine", { environment }, fill);
  expect((await readdir(folder)).sort()).toEqual(["config.json", "whetstone-model.json"]);
  expect(await left()).toEqual(["mine"]);
});

test("a full disk is called that, and names another place", async () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  await expect(addModel("mine", { environment }, () => Promise.reject(full))).rejects.toMatchObject({
    code: "no-space",
    category: "environment",
    message: expect.stringContaining("WHETSTONE_CACHE"),
  });
  expect(await left()).toEqual([]);
});

test("who has a model open keeps what it reads", async () => {
  const { folder } = await addModel("mine", { environment }, async (into) => {
    await writeFile(join(into, "model.safetensors"), "x".repeat(300_000));
    return filled;
  });
  const reading = createReadStream(join(folder, "model.safetensors"), { highWaterMark: 1000 });
  let read = 0;
  for await (const chunk of reading) {
    if (read === 0) await removeModel("mine", { environment });
    read += (chunk as Buffer).length;
  }
  expect(read).toBe(300_000);
  await expect(readFile(join(folder, "model.safetensors"))).rejects.toThrow("ENOENT");
});

test.each(["", ".hidden", "../up", "a/b", "-dash", "x".repeat(81), "ü"])("%j is no name", (name) => {
  expect(() => checkModelName(name)).toThrow(expect.objectContaining({ code: "invalid-model-name" }));
  expect(storedModel(name, { environment })).toBeUndefined();
});
