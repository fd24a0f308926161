import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { LineReader } from "./line-reader.ts";

property.prop([
  fc.array(fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", ""))),
  fc.array(fc.nat(7), { minLength: 1 }),
])("lines are the same however their bytes are cut", (texts, sizes) => {
  const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(""));
  const reader = new LineReader(1e6);
  const lines: string[] = [];
  let place = 0;
  for (let turn = 0; place < bytes.length; turn += 1) {
    const size = (sizes[turn % sizes.length] ?? 0) + 1;
    const read = reader.push(bytes.subarray(place, place + size));
    expect(read.tooLong).toBe(false);
    lines.push(...read.lines);
    place += size;
  }
  expect(lines).toEqual(texts);
});

test("a line has a largest number of bytes, its end not counted", () => {
  expect(new LineReader(4).push(Buffer.from("four\nand\nfive!"))).toEqual({
    lines: ["four", "and"],
    tooLong: true,
  });
  const reader = new LineReader(4);
  expect(reader.push(Buffer.from("fo"))).toEqual({ lines: [], tooLong: false });
  expect(reader.push(Buffer.from("ur"))).toEqual({ lines: [], tooLong: false });
  expect(reader.push(Buffer.from("\nfour"))).toEqual({ lines: ["four"], tooLong: false });
  expect(reader.push(Buffer.from("s"))).toEqual({ lines: [], tooLong: true });
});
