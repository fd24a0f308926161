import { expect, test } from "vitest";
import { displayWidth } from "./display-width.ts";
import { sideBySide } from "./side-by-side.ts";

const sayings = (champion: string, base: string) => [
  { name: "champion", text: champion },
  { name: "base", text: base },
];

test("texts stand beside each other where lines are wide enough", () => {
  expect(sideBySide(sayings("42", "It is about\nforty."), 70)).toEqual([
    "champion                            base",
    "--------                            ----",
    "42                                  It is about",
    "                                    forty.",
  ]);
});

test("long texts are broken at spaces, and words that are too long where the line is full", () => {
  const words = "one two three four five six seven eight nine ten eleven twelve";
  const lines = sideBySide(sayings(words, "x".repeat(100)), 63);
  expect(lines.slice(2, 5)).toEqual([
    `one two three four five six      ${"x".repeat(30)}`,
    `seven eight nine ten eleven      ${"x".repeat(30)}`,
    `twelve                           ${"x".repeat(30)}`,
  ]);
  expect(lines.at(-1)?.trim()).toBe("x".repeat(10));
});

test.each([57, 70, 131])("no line is wider than %d cells, whatever is said", (width) => {
  const said = `${"漢字".repeat(60)} ${"👩‍👩‍👧".repeat(30)} \u001b[31mred\u0007\tand more`;
  for (const line of sideBySide(sayings(said, said), width)) {
    expect(displayWidth(line)).toBeLessThanOrEqual(width);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
    expect(line).not.toMatch(/[\x00-\x1f]/);
  }
});

test("on narrow lines, in pipes and alone they stand one below the other", () => {
  const below = ["champion:", "  42", "base:", "  41"];
  expect(sideBySide(sayings("42", "41"), 40)).toEqual(below);
  expect(sideBySide(sayings("42", "41"), Number.POSITIVE_INFINITY)).toEqual(below);
  expect(sideBySide([{ name: "base", text: "a\r\n\nb" }], 80)).toEqual(["base:", "  a", "  ", "  b"]);
});

test("an empty answer is seen", () => {
  expect(sideBySide(sayings(" \n", ""), 80)[2]).toMatch(/^\(nothing\) +\(nothing\)$/);
});
