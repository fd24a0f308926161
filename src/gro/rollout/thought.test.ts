import { expect, test } from "vitest";
import type { Item, Response } from "../../foundation/contract/index.ts";
import { itemOf, letters, rolloutOf } from "./testing/fakes.ts";
import { thoughtOf } from "./thought.ts";

const item: Item = { ...itemOf("3718="), answer: "8" };
const lastOf = { answerOf: (_: Item, { text }: Response) => text.at(-1) };
const read = (task: Parameters<typeof thoughtOf>[1], text: string, asked = item) => {
  const thought = thoughtOf(letters, task, rolloutOf(asked, text));
  return thought && [letters.decode(thought.thought), letters.decode(thought.continuation)];
};

test("a thought is what stands before the answer; the true answer and the end follow it", () => {
  expect(read(lastOf, "3013")).toEqual(["301", "8"]);
  expect(thoughtOf(letters, lastOf, rolloutOf(item, "3013"))?.continuation.at(-1)).toBe(letters.endToken);
  // What the response says after its answer stays.
  expect(read({ answerOf: () => "13" }, "so (13).")).toEqual(["so (", "8)."]);
});

test("of a task that does not say what answers, all of it is the thought", () => {
  expect(read({}, "3013")).toEqual(["3013", "8"]);
});

test("there is none without an answer to compare with, in what was cut off, or where nothing stands before it", () => {
  const { answer: _, ...unknown } = item;
  expect(read(lastOf, "3013", unknown as Item)).toBeUndefined();
  expect(thoughtOf(letters, lastOf, rolloutOf(item, { text: "3013", cut: true }))).toBeUndefined();
  expect(read(lastOf, "3")).toBeUndefined();
  expect(read({ answerOf: () => "x" }, "3013")).toBeUndefined();
  expect(read({ answerOf: () => undefined }, "3013")).toBeUndefined();
});

test("a token that reaches into the answer is none of the thought: what it says before it is said again", () => {
  // One token of two letters, " 3".
  const pairs = {
    ...letters,
    decode: (tokens: Int32Array) =>
      [...tokens].map((token) => (token === 9 ? " 3" : letters.decode(Int32Array.of(token)))).join(""),
  };
  const rollout = rolloutOf(item, "301 3");
  const tokens = Int32Array.of(...letters.encode("301"), 9, letters.endToken);
  const segments = [rollout.segments[0], { kind: "sampled", tokens, logprobs: new Float32Array(5) }];
  const thought = thoughtOf(pairs, lastOf, { ...rollout, segments } as typeof rollout);
  expect(thought && [pairs.decode(thought.thought), pairs.decode(thought.continuation)]).toEqual([
    "301",
    " 8",
  ]);
});
