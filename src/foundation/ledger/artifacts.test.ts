import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fc, test as property } from "@fast-check/vitest";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Json, sha256 } from "../base/index.ts";
import { Artifacts } from "./artifacts.ts";

let folder: string;
let artifacts: Artifacts;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "artifacts-")), "below");
  artifacts = new Artifacts(folder);
});
afterEach(() => rm(join(folder, ".."), { recursive: true, force: true }));

describe("Artifacts", () => {
  test("a file of JSON lines is named by the SHA-256 of what it holds", async () => {
    const name = await artifacts.put([{ b: 1, a: "x" }, [2], null]);
    const text = '{"a":"x","b":1}\n[2]\nnull\n';
    expect(name).toBe(sha256(text));
    expect(await readFile(artifacts.pathOf(name), "utf8")).toBe(text);
    expect(await artifacts.read(name)).toEqual([{ a: "x", b: 1 }, [2], null]);
  });

  test("the same rows are one file, other rows another, none an empty one", async () => {
    const first = await artifacts.put([{ a: 1, b: 2 }]);
    expect(await artifacts.put([{ b: 2, a: 1 }])).toBe(first);
    const other = await artifacts.put([{ a: 1, b: 3 }]);
    const none = await artifacts.put([]);
    expect(new Set(await readdir(folder))).toEqual(
      new Set([`${first}.jsonl`, `${other}.jsonl`, `${none}.jsonl`]),
    );
    expect(await artifacts.read(none)).toEqual([]);
  });

  property.prop([fc.array(fc.jsonValue() as fc.Arbitrary<Json>, { maxLength: 5 })], { numRuns: 30 })(
    "rows come back as they were",
    async (rows) => {
      const name = await artifacts.put(rows);
      expect(await artifacts.read(name)).toEqual(JSON.parse(JSON.stringify(rows)));
    },
  );

  test("texts may hold what other programs take for the end of a line", async () => {
    const rows = [{ text: "one\u2028two\u2029three\r\nfour\rfive\n" }, "é\u{1F600}"];
    expect(await artifacts.read(await artifacts.put(rows))).toEqual(rows);
  });

  test("rows longer than what is read at once, cut within a character, are read whole", async () => {
    const rows = Array.from({ length: 40 }, (_, index) => "é".repeat(20_001 + index));
    expect(await artifacts.read(await artifacts.put(rows))).toEqual(rows);
  });

  test("puts side by side do not disturb each other", async () => {
    const names = await Promise.all(Array.from({ length: 12 }, (_, index) => artifacts.put([index % 3])));
    expect(new Set(names).size).toBe(3);
    expect(await readdir(folder)).toHaveLength(3);
  });

  test("what is cut off, altered, or gone is named, and mended by storing it again", async () => {
    const rows = [{ a: 1 }, { a: 2 }];
    const name = await artifacts.put(rows);
    const path = artifacts.pathOf(name);
    const faults: [code: string, harm: () => Promise<void>][] = [
      ["artifact-damaged", () => truncate(path, 10)],
      ["artifact-damaged", () => truncate(path, 8)],
      ["artifact-damaged", () => writeFile(path, '{"a":1}\n{"a":3}\n')],
      ["artifact-damaged", () => writeFile(path, '{"a":1}\n{"a":2}\n\n')],
      ["artifact-damaged", () => writeFile(path, "\n")],
      ["artifact-missing", () => rm(path)],
    ];
    for (const [code, harm] of faults) {
      await harm();
      await expect(artifacts.read(name)).rejects.toMatchObject({
        code,
        category: "environment",
        details: { path },
      });
      expect(await artifacts.put(rows)).toBe(name);
      expect(await artifacts.read(name)).toEqual(rows);
    }
  });

  test("a write that fails leaves nothing behind", async () => {
    const rows = function* (): Generator<Json> {
      yield "x".repeat(2 << 20);
      throw new Error("the source of the rows failed");
    };
    await expect(artifacts.put(rows())).rejects.toThrow("the source of the rows failed");
    await expect(artifacts.put([1, Number.NaN])).rejects.toThrow(/cannot be stored: JSON cannot hold NaN/);
    expect(await readdir(folder)).toEqual([]);
  });

  test("what stands in the way is named", async () => {
    await mkdir(join(folder, ".."), { recursive: true });
    await writeFile(folder, "a file where the folder should be");
    await expect(artifacts.put([1])).rejects.toMatchObject({
      code: "in-the-way",
      message: expect.stringContaining(`${folder} is a file where a folder is to be`),
    });
    await rm(folder);
    const name = await artifacts.put([1]);
    await rm(artifacts.pathOf(name));
    await mkdir(join(artifacts.pathOf(name), "below"), { recursive: true });
    for (const use of [() => artifacts.read(name), () => artifacts.put([1])])
      await expect(use()).rejects.toMatchObject({
        code: "in-the-way",
        message: expect.stringContaining(`${artifacts.pathOf(name)} is a folder where a file is to be`),
      });
  });
});
