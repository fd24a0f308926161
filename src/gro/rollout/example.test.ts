import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import {
  exampleId,
  exampleOfDemonstration,
  exampleOfRollout,
  isReal,
  positionsOf,
  weightedDatum,
} from "./example.ts";
import { chatty, exampleLike, itemOf, letters, rolloutOf, someWriter } from "./testing/fakes.ts";

test("a rollout is trained on as it was sampled", () => {
  const rollout = rolloutOf(itemOf("ab", 7), "ba");
  expect(exampleOfRollout(rollout)).toEqual({
    context: Int32Array.from([1, 97, 98]),
    response: Int32Array.from([98, 97, 2]),
    item: "ab",
    difficulty: 7,
    prompt: "ab",
    answer: "ba",
    source: "test",
    writer: { role: "solver", sample: 0, group: 0, rollout: 0, artifact: null },
  });
  const place = { group: 3, rollout: 1, artifact: "rollouts" };
  expect(exampleOfRollout(rollout, place).writer).toEqual({ role: "solver", sample: 0, ...place });
  expect(exampleOfRollout(rolloutOf(itemOf("a"), { text: "zz", cut: true })).response).toEqual(
    Int32Array.from([122, 122]),
  );
});

test("a demonstration is asked as a model would be, and ends", () => {
  expect(exampleOfDemonstration(letters, { item: itemOf("ab"), response: "ba" })).toEqual({
    context: Int32Array.from([1, 97, 98]),
    response: Int32Array.from([98, 97, 2]),
    item: "ab",
    difficulty: 2,
    prompt: "ab",
    answer: "ba",
    source: "test",
    writer: null,
  });
});

test("a demonstration to a model with a chat template is asked and said as the template writes it", () => {
  const messages = [
    { role: "system", content: "s" },
    { role: "user", content: "ab" },
  ];
  const { context, response } = exampleOfDemonstration(chatty, {
    item: { ...itemOf("ab"), messages },
    response: "ba",
  });
  expect(context).toEqual(letters.encode("system:s;user:ab;assistant:"));
  expect(response).toEqual(Int32Array.from([98, 97, 2]));
});

test("an example's identity is its tokens, whoever wrote it and wherever its context ends", () => {
  const id = exampleId(exampleLike());
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(exampleId(exampleLike({ writer: someWriter, source: "elsewhere", prompt: "other" }))).toBe(id);
  const others = [
    { response: Int32Array.of(50, 3) },
    { context: Int32Array.of(2) },
    { context: Int32Array.of(1, 50), response: Int32Array.of(2) },
  ];
  expect(new Set([id, ...others.map((other) => exampleId(exampleLike(other)))]).size).toBe(4);
});

test("real is what no model wrote, neither the answer nor what it answers", () => {
  expect(isReal(exampleLike({ source: "generator:reverse@1" }))).toBe(true);
  expect(isReal(exampleLike({ source: "data.jsonl:3" }))).toBe(true);
  expect(isReal(exampleLike({ writer: someWriter, source: "data.jsonl:3" }))).toBe(false);
  expect(isReal(exampleLike({ source: "rollout:abc/3/1" }))).toBe(false);
  expect(isReal(exampleLike({ source: "model:judge" }))).toBe(false);
});

const tokens = (minLength: number) =>
  fc.array(fc.integer({ min: 0, max: 99 }), { minLength, maxLength: 8 }).map((ids) => Int32Array.from(ids));

property.prop([tokens(1), tokens(1)])(
  "positions predict the token after them; the first that counts predicts the response's first",
  (context, response) => {
    const example = exampleLike({ context, response });
    const { tokens: inputs, targets, start } = positionsOf(example);
    expect([...inputs, targets.at(-1)]).toEqual([...context, ...response]);
    expect(inputs.subarray(1)).toEqual(targets.subarray(0, -1));
    expect(targets.subarray(start)).toEqual(response);
    const { weights } = weightedDatum(example, 0.25);
    expect([...(weights ?? [])]).toEqual([
      ...new Array(context.length - 1).fill(0),
      ...new Array(response.length).fill(0.25),
    ]);
  },
);
