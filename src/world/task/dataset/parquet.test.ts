import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { brief, fileOf, readAll, wrongOnly } from "./testing/files.ts";

const fixture = (name: string): string =>
  fileURLToPath(new URL(`./fixtures/${name}.parquet`, import.meta.url));

describe("a Parquet file", () => {
  test("is read row group by row group, only the columns that are wanted", async () => {
    const rows = await readAll(fixture("sums"));
    expect(rows).toHaveLength(60);
    expect(rows[30]).toEqual({
      line: 31,
      columns: { prompt: "What is 30 + 30?", answer: 60n, note: undefined },
    });
  });

  test("may hold lists of messages", async () => {
    const [, second] = await readAll(fixture("chats"), ["messages", "kind"]);
    expect(second).toEqual({
      line: 2,
      columns: {
        kind: "odd",
        messages: [
          { role: "system", content: "Answer with one word." },
          { role: "user", content: "Name number 1, größer als 0." },
          { role: "assistant", content: "zahl-1" },
        ],
      },
    });
  });

  test("bytes that are no text stay a lone surrogate, which is refused with its row", async () => {
    expect(brief(await readAll(fixture("not-unicode")))).toEqual([
      [1, { prompt: "What is 0?", answer: "a" }],
      [2, { prompt: "\ud800", answer: "b" }],
      [3, { prompt: "What is 2?", answer: null }],
    ]);
  });

  test("whose second row group has another schema loses that group alone, with its rows counted", async () => {
    const bytes = readFileSync(fixture("sums"));
    // Behind the last page the schema names the column once, and then each of the three row groups does.
    const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    const places = [...bytes.toString("latin1").matchAll(/answer/g)]
      .map(({ index }) => index)
      .filter((at) => at >= footer);
    bytes.write("anzwer", places[2] ?? 0);
    const rows = await readAll(fileOf("mixed.parquet", bytes));
    expect(wrongOnly(rows)).toEqual([
      {
        line: 26,
        reason: "other-schema",
        detail: "row group 2 has no column answer",
        rows: 25,
      },
    ]);
    expect(rows).toHaveLength(36);
    expect(rows.at(-1)).toMatchObject({ line: 60 });
  });

  test.each<[string, (bytes: Buffer) => Uint8Array, RegExp]>([
    ["is none", () => Buffer.from("prompt,answer\n1,2\n"), /it is not a whole Parquet file/],
    ["is cut off", (bytes) => bytes.subarray(0, bytes.length - 100), /it is not a whole Parquet file/],
    ["is broken inside", (bytes) => bytes.fill(7, 8, 200), /its row group 1 is broken/],
  ])("that %s is refused", async (_, change, sentence) => {
    const path = fileOf("a.parquet", change(readFileSync(fixture("sums"))));
    await expect(readAll(path)).rejects.toMatchObject({
      code: "dataset-unreadable",
      message: expect.stringMatching(sentence),
    });
  });
});
