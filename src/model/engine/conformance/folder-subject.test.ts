import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Engine, EngineCapabilities } from "../../../foundation/contract/index.ts";
import { Bench } from "./bench.ts";
import { folderSubject } from "./folder-subject.ts";

test("a folder's model is drawn where it has no weights, and never where it has some that cannot be read", async () => {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-subject-"));
  try {
    await writeFile(join(folder, "config.json"), '{ "vocab_size": 12 }');
    const engine = {} as Engine;
    expect(await folderSubject(engine, folder)).toMatchObject({ trained: false, modelFolder: folder });
    await writeFile(join(folder, "pytorch_model.bin"), "");
    await expect(folderSubject(engine, folder)).rejects.toMatchObject({ code: "weights-missing" });
    await writeFile(join(folder, "model-00001-of-00002.safetensors"), "");
    const subject = await folderSubject(engine, folder);
    expect(subject.trained).toBe(true);
    await using bench = new Bench(subject, {} as EngineCapabilities);
    expect(bench.folder(3)).toEqual({ kind: "folder", path: folder });
  } finally {
    await rm(folder, { recursive: true });
  }
});
