import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reverse } from "../../world/task/index.ts";
import { readDocuments } from "./documents.ts";

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
  test("are a list, the lines of a file, or the task's own; what they hold is their identity", async () => {
    const path = await written("a.jsonl", '"one"\n\n{"text": "two", "url": "x"}\n');
    const listed = readDocuments("x()", ["one", "two"]);
    for (const where of [path, pathToFileURL(path), String(pathToFileURL(path))]) {
      const read = readDocuments("x()", where);
      expect(read.of(reverse())).toEqual([
        { text: "one", source: "a.jsonl:1" },
        { text: "two", source: "a.jsonl:3" },
      ]);
      expect(read.identity).toBe(listed.identity);
    }
    expect(readDocuments("x()", ["one", "three"]).identity).not.toBe(listed.identity);
    const own = readDocuments("x()", undefined);
    expect(own.of({ ...reverse(), documents: ["three"] })).toEqual([{ text: "three", source: "document 1" }]);
    expect(own.identity).toBe("of the task");
  });

  test("that are not there are refused: by the task, by the file, by the line", async () => {
    expect(() => readDocuments("x()", undefined).of(reverse())).toThrow(
      expect.objectContaining({ code: "no-documents" }),
    );
    expect(() => readDocuments("x()", join(folder, "none.jsonl"))).toThrow(
      /x\(\): .*none.jsonl cannot be read/,
    );
    const wrong = await written("wrong.jsonl", '"one"\n{"title": "two"}\n');
    expect(() => readDocuments("x()", wrong)).toThrow(/wrong.jsonl:2 holds no document/);
    const cut = await written("cut.jsonl", '"one\n');
    expect(() => readDocuments("x()", cut)).toThrow(/cut.jsonl:1 holds no document/);
    const empty = await written("empty.jsonl", "\n\n");
    expect(() => readDocuments("x()", empty)).toThrow(/empty.jsonl holds no documents/);
  });
});
