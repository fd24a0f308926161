import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readJsonl } from "./jsonl.ts";
import { isWrong } from "./row.ts";
import { brief, fileOf, readAll } from "./testing/files.ts";

const good = (n: number): string => JSON.stringify({ prompt: `${n}?`, answer: `${n}` });
const columns = (n: number) => ({ prompt: `${n}?`, answer: `${n}` });

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes that something still holds. */
function held(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe("a JSONL file", () => {
  test("is read line by line; empty lines, CRLF, a mark at its begin and no last line feed do not matter", async () => {
    const path = fileOf("a.jsonl", `\ufeff${good(1)}\r\n\n  \t\r\n${good(2)}\n${good(3)}`);
    expect(brief(await readAll(path))).toEqual([
      [1, columns(1)],
      [4, columns(2)],
      [5, columns(3)],
    ]);
  });

  test("may be packed", async () => {
    const text = [good(1), good(2)].join("\n");
    expect(brief(await readAll(fileOf("a.jsonl.gz", gzipSync(text))))).toEqual([
      [1, columns(1)],
      [2, columns(2)],
    ]);
    const cut = gzipSync(text).subarray(0, 30);
    await expect(readAll(fileOf("cut.jsonl.gz", cut))).rejects.toMatchObject({
      code: "dataset-unreadable",
      message: expect.stringContaining("cut.jsonl.gz cannot be read: its gzip packing is broken or cut off"),
    });
    await expect(readAll(fileOf("plain.ndjson.gz", text))).rejects.toMatchObject({
      code: "dataset-unreadable",
    });
  });

  test.each<[string, string | Buffer, string]>([
    ["no JSON", "{prompt: 1}", "not-json"],
    ["a list", "[1]", "not-an-object"],
    ["null", "null", "not-an-object"],
    ["bytes that are no text", Buffer.from([0x22, 0xe9, 0x22]), "not-unicode"],
    ["a NUL", '{"prompt":"\0"}', "nul-character"],
  ])("names the line that is %s, and goes on", async (_, line, reason) => {
    const path = fileOf(
      "a.jsonl",
      Buffer.concat([Buffer.from(`${good(1)}\n`), Buffer.from(line), Buffer.from(`\n${good(3)}`)]),
    );
    expect(brief(await readAll(path))).toEqual([
      [1, columns(1)],
      [2, reason],
      [3, columns(3)],
    ]);
  });

  test("UTF-16 is named as what it is", async () => {
    const path = fileOf("a.jsonl", Buffer.from(`\ufeff${good(1)}`, "utf16le"));
    await expect(readAll(path)).rejects.toThrow("a.jsonl cannot be read: it is UTF-16; save it as UTF-8.");
  });

  test("a line of 50 MB is passed over, and never held", async () => {
    const piece = Buffer.alloc(2 ** 18, "x");
    let [given, most] = [0, 0];
    const base = held();
    async function* bytes(): AsyncGenerator<Buffer> {
      yield Buffer.from(`${good(1)}\n{"prompt":"`);
      for (; given < 200; given++) {
        if (given % 20 === 0) most = Math.max(most, held() - base);
        yield Buffer.from(piece);
      }
      yield Buffer.from(`"}\n${good(3)}`);
    }
    const rows = [];
    for await (const row of readJsonl(bytes())) rows.push(row);
    expect(brief(rows)).toEqual([
      [1, columns(1)],
      [2, "too-long"],
      [3, columns(3)],
    ]);
    expect(given).toBe(200);
    expect(most).toBeLessThan(12 * 2 ** 20);
  });

  test("of any length is read piece by piece: a piece is asked for when the rows of the one before are taken", async () => {
    const lines = Array.from({ length: 1000 }, (_, n) => `${good(n)}\n`).join("");
    let given = 0;
    async function* bytes(): AsyncGenerator<Buffer> {
      for (; given < 200; given++) yield Buffer.from(lines);
    }
    const givenAt: number[] = [];
    let taken = 0;
    for await (const row of readJsonl(bytes())) {
      if (isWrong(row)) throw new Error(row.detail);
      if (taken % 1000 === 500) givenAt.push(given);
      taken += 1;
    }
    expect(taken).toBe(200_000);
    expect(givenAt).toEqual(Array.from({ length: 200 }, (_, index) => index));
  });
});
