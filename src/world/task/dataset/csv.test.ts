import { gzipSync } from "node:zlib";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { readCsv } from "./csv.ts";
import { isWrong, mostRowBytes } from "./row.ts";
import { brief, fileOf, readAll } from "./testing/files.ts";

const text = 'prompt,answer\n"a, ""b""\nc",1\nd "e",2\n\nf,3\n';

const field = fc.string({ unit: fc.constantFrom("a", "é", '"', ",", "\n", "\r", " ", ";") });

describe("a CSV file", () => {
  test("has columns by its first line; rows are named by the line where they begin", async () => {
    const rows = [
      [2, { prompt: 'a, "b"\nc', answer: "1" }],
      [4, { prompt: 'd "e"', answer: "2" }],
      [6, { prompt: "f", answer: "3" }],
    ];
    expect(brief(await readAll(fileOf("a.csv", text)))).toEqual(rows);
    expect(brief(await readAll(fileOf("a.csv", `\ufeff${text.replaceAll("\n", "\r\n")}`)))).toEqual(
      rows.map(([line, columns]) => [line, JSON.parse(JSON.stringify(columns).replace("\\nc", "\\r\\nc"))]),
    );
    expect(brief(await readAll(fileOf("a.csv.gz", gzipSync(text))))).toEqual(rows);
  });

  test.each([
    ["a.csv", ";"],
    ["a.tsv", "\t"],
  ])("%s may be parted by %j", async (name, mark) => {
    const path = fileOf(name, `prompt${mark}answer\nWhat, now?${mark}1`);
    expect(brief(await readAll(path))).toEqual([[2, { prompt: "What, now?", answer: "1" }]]);
  });

  test("names lines with too few or too many fields, and text that is none", async () => {
    const path = fileOf(
      "a.csv",
      Buffer.concat([
        Buffer.from("prompt,answer\na\nb,1\nc,2,3\n"),
        Buffer.from([0xe9]),
        Buffer.from(",4\nd\0,5\ne,6"),
      ]),
    );
    expect(brief(await readAll(path))).toEqual([
      [2, "wrong-columns"],
      [3, { prompt: "b", answer: "1" }],
      [4, "wrong-columns"],
      [5, "not-unicode"],
      [6, "nul-character"],
      [7, { prompt: "e", answer: "6" }],
    ]);
  });

  test("one mark parts columns and rows, also behind a blank line; a quote that a cut row leaves open is a wrong row", async () => {
    const rows = Array.from({ length: 50 }, (_, index) => `"q${index}";"line one\nline two ${index}"`);
    const path = fileOf("blank-first.csv", `\n"prompt";"answer"\n${rows.join("\n")}`);
    const read = brief(await readAll(path));
    expect(read).toHaveLength(50);
    expect((read[1] as [number, unknown])[1]).toEqual({ prompt: "q1", answer: "line one\nline two 1" });
    await expect(readAll(fileOf("odd.csv", '"p;\nq",prompt,answer\n,a,1\n'))).rejects.toMatchObject({
      code: "dataset-unreadable",
    });
  });

  test.each([
    ['prompt,answer\na,1\nb,"2\nc,3\n', "the row that begins in line 3 opens a quote that is never closed"],
    ["prompt,prompt\na,1\n", 'two of its columns are called "prompt"'],
  ])("is refused as a whole where what follows cannot be known", async (content, sentence) => {
    await expect(readAll(fileOf("a.csv", content))).rejects.toMatchObject({
      code: "dataset-unreadable",
      message: expect.stringContaining(sentence),
    });
  });

  test("passes over a row that is too long, and names one with something behind a quote", async () => {
    const path = fileOf("a.csv", `prompt,answer\n"${"x\n".repeat(mostRowBytes / 2)}",1\n"b"c,2\nd,""\n`);
    expect(brief(await readAll(path))).toEqual([
      [2, "too-long"],
      [3 + mostRowBytes / 2, "not-csv"],
      [4 + mostRowBytes / 2, { prompt: "d", answer: "" }],
    ]);
  });

  property.prop([
    fc.array(fc.tuple(field, field), { minLength: 1 }),
    fc.integer({ min: 1, max: 20 }),
    fc.boolean(),
  ])("gives back what was written", async (rows, size, quoted) => {
    const written = (text: string): string =>
      quoted || /[",\r\n]|^\s*$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    const all = Buffer.from(["a,b", ...rows.map((row) => row.map(written).join(","))].join("\n"));
    async function* bytes(): AsyncGenerator<Buffer> {
      for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
    }
    const read = [];
    for await (const row of readCsv(bytes(), { path: "a.csv", name: "a.csv", gzip: false }))
      read.push(isWrong(row) ? row : [row.columns.a, row.columns.b]);
    expect(read).toEqual(rows);
  });

  test("of a first line alone has no rows", async () => {
    expect(await readAll(fileOf("a.csv", "prompt,answer\n"))).toEqual([]);
  });
});
