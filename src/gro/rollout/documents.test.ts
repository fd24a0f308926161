import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reverse } from "../../world/task/index.ts";
import { documentsOption, libraryOf, sourceOf } from "./documents.ts";
import { itemOf } from "./testing/fakes.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-documents-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const written = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
};

describe("documents", () => {
  test("are a list, or the lines of a file", async () => {
    const path = await written("a.jsonl", '"one"\n\n{"text": "two", "url": "x"}\n');
    const read = [
      { text: "one", where: "a.jsonl:1" },
      { text: "two", where: "a.jsonl:3" },
    ];
    for (const where of [path, pathToFileURL(path), String(pathToFileURL(path)), read])
      expect(documentsOption.parse(where)).toEqual(read);
    expect(documentsOption.parse(["one"])).toEqual([{ text: "one", where: "" }]);
    expect(documentsOption.parse(undefined)).toBeUndefined();
  });

  test("are refused where they cannot be read: the file, or the line with its number", async () => {
    expect(() => documentsOption.parse(join(folder, "none.jsonl"))).toThrow(
      expect.objectContaining({ code: "documents-missing" }),
    );
    const wrong = await written("wrong.jsonl", '"one"\n{"title": "two"}\n');
    expect(() => documentsOption.parse(wrong)).toThrow(/wrong.jsonl:2 holds no document/);
    const cut = await written("cut.jsonl", '"one\n');
    expect(() => documentsOption.parse(cut)).toThrow(/cut.jsonl:1 holds no document/);
    const empty = await written("empty.jsonl", "\n\n");
    expect(() => documentsOption.parse(empty)).toThrow(/empty.jsonl holds no documents/);
    expect(() => documentsOption.parse([])).toThrow();
  });

  test("to search in are those that were given, else those of the items, each once; each has a source of its own", () => {
    const task = { ...reverse(), document: ({ prompt }: { prompt: string }) => prompt.slice(0, 1) };
    const items = ["12=", "34=", "15="].map((prompt) => itemOf(prompt));
    expect(libraryOf(task, items, undefined).map(({ text }) => text)).toEqual(["1", "3"]);
    const twice = ["a.jsonl:1", "a.jsonl:2"].map((where) => ({ text: "x", where }));
    expect(libraryOf(task, items, twice)).toEqual([{ text: "x", where: "a.jsonl:1" }]);
    const hash = createHash("sha256").update("ab").digest("hex");
    expect(sourceOf({ text: "ab", where: "a.jsonl:7" })).toBe(`document:${hash}#0-2 a.jsonl:7`);
  });
});
