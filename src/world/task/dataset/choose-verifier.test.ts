import { expect, test } from "vitest";
import { chooseVerifier, verifierOf } from "./choose-verifier.ts";
import { fewestLines, showableGain } from "./showable.ts";

test.each<[string, readonly string[], string]>([
  ["numbers", ["1", " -2.5 ", "1,000", "+3e8", ".5", "1", "7"], "numeric"],
  ["numbers, few of them different", ["1", "2", "1"], "numeric"],
  ["letters", ["A", "B", "C", "A", "D"], "multipleChoice"],
  ["ten different words", Array.from("abcdefghija"), "multipleChoice"],
  ["eleven different words", Array.from("abcdefghijk"), "exact"],
  ["one word, written in two ways", ["Yes", "yes", "Yes"], "exact"],
  ["numbers and words", [...Array.from({ length: 20 }, (_, n) => `${n}`), "none"], "exact"],
  ["numbers with units", Array.from({ length: 20 }, (_, n) => `${n} km`), "exact"],
  ["no digits", Array.from({ length: 20 }, (_, n) => "+".repeat(n + 1)), "exact"],
])("%s", (_, answers, verifier) => {
  const rows = answers.map((answer, n) => ({ prompt: `${n}?`, answer }));
  const choice = chooseVerifier(rows);
  expect(choice).toMatchObject({ verifier, reason: expect.stringMatching(/\w/) });
  for (const row of rows) expect(verifierOf(choice).faultOf?.(row)).toBeUndefined();
});

test("choices are written out where neither letters nor prompts say them", () => {
  const words = ["no", "yes", "No", "maybe"].map((answer, n) => ({ prompt: `${n}?`, answer }));
  expect(chooseVerifier(words)).toEqual({
    verifier: "multipleChoice",
    choices: ["No", "maybe", "yes"],
    reason: "only 4 different answers",
  });
  const listed = ["Rome", "Paris"].map((answer) => ({ prompt: "Which?\nA) Rome\nB) Paris", answer }));
  expect(chooseVerifier(listed)).not.toHaveProperty("choices");
});

test("500 lines can show a gain of 16 points at the first opening and 21 at the fourth, 5,000 lines 5.5 and 7.5", () => {
  const points = [125, 1250].map((items) =>
    [1, 4].map((opening) => 100 * (showableGain(items, opening) ?? 100)),
  );
  // What the gate's own bet shows; the plan's figures are those of a coarser approximation, at most 1.3 points above.
  expect(points).toEqual([
    [expect.closeTo(15.2, 1), expect.closeTo(20.6, 1)],
    [expect.closeTo(5.4, 1), expect.closeTo(7.3, 1)],
  ]);
  const least = Math.ceil(fewestLines() / 4);
  expect([showableGain(least - 1, 1), showableGain(least, 1)]).toEqual([null, expect.any(Number)]);
});

test("a few answers that are no numbers are named: they may be mistakes", () => {
  const rows = Array.from({ length: 40 }, (_, index) => ({ prompt: `${index}?`, answer: String(index) }));
  const reasonWith = (...odd: readonly string[]): string =>
    chooseVerifier([...rows, ...odd.map((answer) => ({ prompt: answer, answer }))]).reason;
  expect(reasonWith("a lot")).toBe('more than 10 different answers, and 1 of 41 is no number: "a lot"');
  expect(reasonWith("a lot", "none")).toMatch(/2 of 42 are no numbers: "a lot", "none"$/);
  expect(reasonWith(..."abcdefgh")).toMatch(/not all are numbers$/);
});
