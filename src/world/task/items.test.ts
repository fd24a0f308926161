import { describe, expect, test } from "vitest";
import { addition } from "./addition.ts";
import { enumerateItems, itemOf, stratumAt } from "./items.ts";
import { parity } from "./parity.ts";
import { reverse } from "./reverse.ts";

const task = reverse();

describe("itemOf", () => {
  test("gives a problem its identity, stratum, split and source", () => {
    expect(itemOf(task, { prompt: "1234=", answer: "4321", difficulty: 4 })).toEqual({
      canonical: "1234",
      prompt: "1234=",
      answer: "4321",
      difficulty: 4,
      stratum: "length 4",
      split: "decision",
      source: "generator:reverse@1",
    });
  });

  test("needs no answer, and keeps another source", () => {
    const item = itemOf(task, { prompt: "12=", difficulty: 2 }, "file:lines.txt#3");
    expect(item).toMatchObject({ split: "none", source: "file:lines.txt#3" });
    expect("answer" in item).toBe(false);
  });

  test("takes nothing from an item that calls itself something else", () => {
    const item = itemOf(task, { prompt: "1234=", difficulty: 4 });
    const forged = { prompt: "1234=", difficulty: 4, canonical: "5678", split: "train", stratum: "length 9" };
    expect(itemOf(task, forged)).toEqual(item);
  });

  test("refuses a difficulty that the task does not have", () => {
    expect(() => itemOf(task, { prompt: "1=", difficulty: 0 })).toThrow(/no stratum "length 0"/);
  });
});

describe("stratumAt", () => {
  test("finds the stratum of every difficulty", () => {
    for (const stratum of task.strata) expect(stratumAt(task, stratum.difficulty)).toBe(stratum);
  });

  test("says what there is", () => {
    expect(() => stratumAt(task, 19)).toThrow(
      'reverse has no stratum "length 19": it has 1 to 18. Its options say how far it goes.',
    );
    expect(() => stratumAt(parity(), 17)).toThrow(
      'parity has no stratum "bits 17": it has only 16. Its options say how far it goes.',
    );
  });
});

describe("enumerateItems", () => {
  test("gives every item once, with no split", () => {
    const items = enumerateItems(task, 2);
    expect(new Set(items.map(({ canonical }) => canonical)).size).toBe(100);
    expect(items.every(({ split, stratum }) => split === "none" && stratum === "length 2")).toBe(true);
    expect(enumerateItems(addition(), 1)).toHaveLength(55);
  });

  test("refuses a stratum that has splits", () => {
    expect(() => enumerateItems(task, 4)).toThrow(/length 4 is too large to be enumerated/);
  });
});
