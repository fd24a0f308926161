import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { cleanText, displayWidth, fitText, padEnd, wrapText } from "./display-width.ts";

describe("the width of a text", () => {
  test.each([
    ["abc", 3],
    ["", 0],
    ["λ ≥ α", 5],
    ["長さ", 4],
    ["e\u0301", 1],
    ["👩‍👩‍👧", 2],
    ["🇨🇭", 2],
    ["a\u200bb", 2],
    ["█▒░━", 4],
  ])("%j takes %i cells", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe("fitting", () => {
  test.each([
    ["frontier", 8, "frontier"],
    ["frontier", 7, "fronti…"],
    ["長さ長さ", 5, "長さ…"],
    ["長さ長さ", 4, "長…"],
    ["abc", 1, "…"],
    ["abc", 0, ""],
  ])("%j in %i cells is %j", (text, width, fitted) => {
    expect(fitText(text, width)).toBe(fitted);
  });

  test.prop([fc.string({ unit: "grapheme" }), fc.integer({ min: 0, max: 30 })])(
    "never takes more cells",
    (text, width) => {
      expect(displayWidth(fitText(cleanText(text), width))).toBeLessThanOrEqual(width);
    },
  );

  test("padding counts cells, not characters", () => {
    expect(padEnd("長さ", 6)).toBe("長さ  ");
  });
});

describe("cleaning", () => {
  test.each([
    ["\x1b[31mred\x1b[0m", "red"],
    ["\x1b]0;title\x07text", "text"],
    ["a\r\nb\tc", "a b c"],
    ["a\u202eb", "ab"],
    ["\x9b2Jx", "x"],
    ["a\ud800b", "a\ufffdb"],
  ])("%j becomes %j", (text, clean) => {
    expect(cleanText(text)).toBe(clean);
  });
});

describe("wrapping", () => {
  test("breaks at words, and cuts what is over", () => {
    expect(wrapText("one two three four", 9, 3)).toEqual(["one two", "three", "four"]);
    expect(wrapText("one two three four", 9, 2)).toEqual(["one two", "three fo…"]);
  });

  test("not between a number and its unit", () => {
    expect(wrapText("the base 54.5\u00a0%, then", 13, 3)).toEqual(["the base", "54.5 %, then"]);
  });

  test("breaks a word that is longer than a line", () => {
    expect(wrapText("abcdefghij k", 4, 5)).toEqual(["abcd", "efgh", "ij k"]);
  });

  test("nothing makes no line", () => {
    expect(wrapText("", 9, 3)).toEqual([]);
  });

  test.prop([fc.string(), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 4 })])(
    "holds its limits",
    (text, width, most) => {
      const lines = wrapText(cleanText(text), width, most);
      expect(lines.length).toBeLessThanOrEqual(most);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    },
  );
});
