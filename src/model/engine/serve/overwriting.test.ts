import fs, { mkdir, readFile, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { systemClock } from "../../../foundation/base/index.ts";
import { Catalogue } from "./catalogue.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";

let stuck = "";
const { rm } = fs;
beforeAll(() => {
  vi.spyOn(fs, "rm").mockImplementation(async (path, options) => {
    if (stuck !== "" && String(path).startsWith(stuck))
      throw Object.assign(new Error("EBUSY: resource busy"), { code: "EBUSY" });
    await rm(path, options);
  });
  syncBuiltinESMExports();
});
afterAll(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

const place = { modelId: "s:train:0", folder: "weights", name: "one" } as const;
const facts = { baseModel: "org/tiny", lora: null, optimizer: true, step: 3, userMetadata: null };
const save = (catalogue: Catalogue, content: string) =>
  catalogue.save(place, facts, { overwrite: true, ttlSeconds: undefined }, async (folder) => {
    await mkdir(folder);
    await writeFile(join(folder, "weights"), content);
    return { bytes: content.length };
  });
const read = (catalogue: Catalogue, path: string) =>
  readFile(join(catalogue.find(path).folder, "weights"), "utf8");

test("a checkpoint is written over where the old one cannot be removed, as where a network's disk holds it", async () => {
  await using temporary = await temporaryFolder();
  let path: string;
  {
    await using catalogue = await Catalogue.open(temporary.path, systemClock);
    ({ path } = await save(catalogue, "old"));
    stuck = join(catalogue.find(path).folder, "..");
    await save(catalogue, "new");
    expect(await read(catalogue, path)).toBe("new");
  }
  // Nor does what is left keep the next server from starting, which has the new one.
  await using next = await Catalogue.open(temporary.path, systemClock);
  expect(await read(next, path)).toBe("new");
  // What cannot be deleted is there still, and said to be.
  stuck = join(next.find(path).folder, "..");
  await expect(next.delete(path)).rejects.toThrow("EBUSY");
  expect(next.list()).toHaveLength(1);
  stuck = "";
  await next.delete(path);
  expect(next.list()).toEqual([]);
});
