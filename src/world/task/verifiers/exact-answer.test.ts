import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { itemOf } from "../items.ts";
import { reverse } from "../reverse.ts";
import { exactAnswer } from "./exact-answer.ts";

const verifier = exactAnswer((prompt) => `${prompt}!`);
const item = itemOf(reverse(), { prompt: "12=", answer: "wrong on purpose", difficulty: 2 });

test("the right answer is worked out from the prompt, whatever the item says it is", () => {
  expect(verifier.verify(item, { text: "12=!", complete: true })).toEqual({ outcome: "scored", score: 1 });
  expect(verifier.verify(item, { text: "wrong on purpose", complete: true })).toEqual({
    outcome: "scored",
    score: 0,
  });
});

test("an answer that the token limit ended is scored 0", () => {
  expect(verifier.verify(item, { text: "12=!", complete: false })).toEqual({ outcome: "scored", score: 0 });
});

property.prop([fc.string({ unit: "binary" })])("nothing else is right", (text) => {
  const score = text === "12=!" ? 1 : 0;
  expect(verifier.verify(item, { text, complete: true })).toEqual({ outcome: "scored", score });
});
