import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { systemClock } from "../../../foundation/base/index.ts";
import { Catalogue } from "./catalogue.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";

const stuck = vi.hoisted(() => ({ folder: "" }));
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const rm: typeof real.rm = async (path, options) => {
    if (stuck.folder !== "" && String(path).startsWith(stuck.folder))
      throw Object.assign(new Error("EBUSY: resource busy"), { code: "EBUSY" });
    await real.rm(path, options);
  };
  return { ...real, rm };
});

test("a checkpoint is written over where the old one cannot be removed, as where a network's disk holds it", async () => {
  await using temporary = await temporaryFolder();
  await using catalogue = await Catalogue.open(temporary.path, systemClock);
  const place = { modelId: "s:train:0", folder: "weights", name: "one" } as const;
  const facts = { baseModel: "org/tiny", lora: null, optimizer: true, step: 3, userMetadata: null };
  const save = (content: string) =>
    catalogue.save(place, facts, { overwrite: true, ttlSeconds: undefined }, async (folder) => {
      await mkdir(folder);
      await writeFile(join(folder, "weights"), content);
      return { bytes: content.length };
    });
  const { path } = await save("old");
  stuck.folder = join(catalogue.find(path).folder, "..");
  await save("new");
  expect(await readFile(join(catalogue.find(path).folder, "weights"), "utf8")).toBe("new");
  stuck.folder = "";
});
