import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import type { Item, Verifier } from "../../../foundation/contract/index.ts";
import { itemOf } from "../items.ts";
import { reverse } from "../reverse.ts";
import { multipleChoice } from "./multiple-choice.ts";

const base = itemOf(reverse(), { prompt: "1=", difficulty: 1 });
const listed = "Which is the capital of France?\nA) Rome\nB) Paris\nC) Oslo\nD) New Paris";
const scoreOf = async (verifier: Verifier, item: Partial<Item>, text: string): Promise<unknown> => {
  const verdict = await verifier.verify({ ...base, ...item }, { text, complete: true });
  return verdict.outcome === "scored" ? verdict.score : verdict.reason;
};

const rightForms = [
  "B",
  "b",
  "(B)",
  "B.",
  "B)",
  "**B**",
  "B: Paris",
  "(B) Paris",
  "Paris",
  "paris.",
  "The answer is B.",
  "The answer is (B).",
  "The answer is b",
  "Answer: B",
  "answer: **B**",
  "ANSWER: B) Paris",
  "The correct answer is B because Paris is the capital.",
  "The correct option is B) Paris",
  "\\boxed{B}",
  "$\\boxed{\\text{B}}$",
  "Rome is in Italy, Oslo in Norway. The answer is Paris.",
  "(A) is wrong. The answer is (B).",
  "The answer is A. No, the answer is B.",
  "Not Rome but Paris",
  "A big city it is: Paris.",
  "I think it's Paris!",
  "Answer:\nB",
  "The answer is B. A is in Italy.",
];
const wrongForms = [
  "",
  "A",
  "C.",
  "E",
  "Rome",
  "New Paris",
  "A or B",
  "The answer is A or B.",
  "The answer is B or C",
  "The answer is B, or maybe (C).",
  "(A) (B)",
  "A\nB",
  "A, B, C, D",
  "Rome or Paris",
  "The answer is not B.",
  "not Paris",
  "neither Rome nor Paris",
  "It is B. No, the answer is A",
  "\\boxed{A} or B",
  "Parisian",
  "Banana",
  "B2",
  "The answer is Better.",
];

describe("multipleChoice", () => {
  test.each(rightForms)("of choices that the prompt lists takes %j", async (text) => {
    for (const answer of ["B", "b", "(B)", "Paris"])
      expect(await scoreOf(multipleChoice(), { prompt: listed, answer }, text)).toBe(1);
  });

  test.each(wrongForms)("of choices that the prompt lists does not take %j", async (text) => {
    expect(await scoreOf(multipleChoice(), { prompt: listed, answer: "B" }, text)).toBe(0);
  });

  test("of letters alone", async () => {
    const item = { prompt: "A, B or C?", answer: "C" };
    for (const text of ["C", "(C)", "The answer is C.", "c"])
      expect(await scoreOf(multipleChoice(), item, text)).toBe(1);
    for (const text of ["B", "A cat", "I do not know", "C or D"])
      expect(await scoreOf(multipleChoice(), item, text)).toBe(0);
  });

  test("of fixed texts minds no letters, unless the answers are letters", async () => {
    const verifier = multipleChoice({ choices: ["positive", "negative", "not negative"] });
    const item = { prompt: "Great film!", answer: "negative" };
    for (const text of ["negative", "It's Negative.", "Sentiment: negative"])
      expect(await scoreOf(verifier, item, text)).toBe(1);
    for (const text of ["B", "not negative", "positive", "negative or positive", "A"])
      expect(await scoreOf(verifier, item, text)).toBe(0);
    expect(await scoreOf(verifier, { ...item, answer: "B" }, "B")).toBe(1);
    expect(await scoreOf(verifier, { ...item, answer: "B" }, "negative")).toBe(1);
    expect(await scoreOf(verifier, { ...item, answer: "B" }, "A")).toBe(0);
  });

  test("of numbers and single letters as texts", async () => {
    const numbers = multipleChoice({ choices: ["1", "2", "10"] });
    expect(await scoreOf(numbers, { answer: "1" }, "It is 1.")).toBe(1);
    expect(await scoreOf(numbers, { answer: "1" }, "It is 10.")).toBe(0);
    expect(await scoreOf(numbers, { answer: "10" }, "10")).toBe(1);
    const marks = multipleChoice({ choices: ["C++", "C", "a.b"] });
    expect(await scoreOf(marks, { answer: "C++" }, "C++")).toBe(1);
    expect(await scoreOf(marks, { answer: "a.b" }, "axb")).toBe(0);
  });

  test("says which answers are no choice", () => {
    expect(multipleChoice().faultOf?.({ prompt: listed, answer: "Berlin" })).toMatch(
      /"Berlin" is neither a letter nor/,
    );
    expect(multipleChoice().faultOf?.({ prompt: listed, answer: "E" })).toMatch(/"E" is neither/);
    expect(multipleChoice().faultOf?.({ prompt: "?", answer: "E" })).toBeUndefined();
    expect(multipleChoice({ choices: ["yes", "no"] }).faultOf?.({ prompt: "?", answer: "maybe" })).toBe(
      '"maybe" is none of the choices "yes", "no"',
    );
    expect(multipleChoice({ choices: ["yes", "no"] }).faultOf?.({ prompt: "?", answer: "C" })).toMatch(
      /none of/,
    );
    expect(() => multipleChoice({ choices: ["yes", "Yes."] })).toThrow(/"yes" is there twice/);
    expect(() => multipleChoice({ choices: ["yes"] })).toThrow(/option "choices"/);
  });

  property.prop([
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.constantFrom("", "The answer is ", "(B", "Paris "),
  ])("never throws", async (text, before) => {
    expect(await scoreOf(multipleChoice(), { prompt: listed, answer: "B" }, before + text)).toBeTypeOf(
      "number",
    );
  });

  test("takes time in proportion to the text", async () => {
    for (const piece of ["answer is ", "the answer: \n", "(", "A) ", "not ", "\\boxed{", " \n"])
      expect(await scoreOf(multipleChoice(), { prompt: listed, answer: "B" }, piece.repeat(20_000))).toBe(0);
  });
});
