import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { readJsonList } from "./json-list.ts";
import { isWrong, mostRowBytes } from "./row.ts";
import { brief, fileOf, readAll } from "./testing/files.ts";

const rows = [
  { prompt: 'a, [b] {c} "d" \\', answer: "1" },
  { prompt: "é 𝄞", answer: "2", tags: [{ x: [] }] },
];

async function readPieces(text: string, size: number): Promise<unknown[]> {
  const all = Buffer.from(text);
  async function* bytes(): AsyncGenerator<Buffer> {
    for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
  }
  const read: unknown[] = [];
  for await (const row of readJsonList(bytes(), { path: "a.json", name: "a.json", gzip: false }))
    read.push(isWrong(row) ? row.reason : row.columns);
  return read;
}

describe("a JSON file", () => {
  test.each([
    ["a list", rows],
    [
      "a list in an object",
      { version: "1, [2]", labels: ["x", "y"], nested: { list: [{ no: 1 }] }, data: rows, more: 1 },
    ],
  ])("may be %s, cut anywhere into pieces", async (_, value) => {
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)])
      for (const size of [1, 2, 7, 64, 10_000]) expect(await readPieces(text, size)).toEqual(rows);
  });

  property.prop([
    fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
    fc.integer({ min: 1, max: 40 }),
    fc.boolean(),
  ])("gives what JSON.parse gives", async (list, size, wide) => {
    const text = JSON.stringify(list, null, wide ? 1 : 0);
    expect(await readPieces(text, size)).toEqual(JSON.parse(text));
  });

  test("numbers its rows, and names those that are wrong", async () => {
    const path = fileOf("a.json", `[{"prompt":"1"}, {prompt:2}, 3, {"a":"\0"}, {"prompt":"5"},]`);
    expect(brief(await readAll(path))).toEqual([
      [1, { prompt: "1" }],
      [2, "not-json"],
      [3, "not-an-object"],
      [4, "nul-character"],
      [5, { prompt: "5" }],
      [6, "not-json"],
    ]);
  });

  test("passes over a row that is too long", async () => {
    const text = `[{"prompt":"${"x".repeat(mostRowBytes)}"},{"prompt":"2"}]`;
    expect(await readPieces(text, 2 ** 16)).toEqual(["too-long", { prompt: "2" }]);
  });

  test.each([
    ["[]", []],
    [" [ \n ] \n", []],
    ['{"data": []}', null],
  ])("%j has no rows", async (text, read) => {
    if (read !== null) expect(await readPieces(text, 3)).toEqual(read);
    else await expect(readPieces(text, 3)).rejects.toThrow("no member of it is one");
  });

  test.each([
    ['"text"', "it is no JSON list of objects; put one object a line into a .jsonl file."],
    ['{"prompt": "1", "answer": "2"}', "it is no list of objects, and no member of it is one"],
    ['{"a": [{}], "b": [{}]}', "it has two lists of objects"],
    ['[{"prompt": "1"}, {"prompt": "2"', "it ends in the middle, after row 1: is it whole?"],
    ['[{"prompt": "1"}', "it ends in the middle, before its first row"],
    ['[{"prompt": ["1"}]', "its brackets do not match, before its first row"],
    ['[{"prompt": "1"}] [1]', "something stands after its end, after row 1"],
    ['{"prompt": 1}\n{"prompt": 2}', "something stands after its end"],
  ])("%s is refused as a whole", async (text, sentence) => {
    for (const size of [1, 1000])
      await expect(readPieces(text, size)).rejects.toMatchObject({
        code: "dataset-unreadable",
        message: expect.stringContaining(sentence),
      });
  });
});
