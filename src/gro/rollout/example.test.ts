import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { exampleOfDemonstration, exampleOfRollout, positionsOf, weightedDatum } from "./example.ts";
import { chatty, itemOf, letters, rolloutOf } from "./testing/fakes.ts";

test("a rollout is trained on as it was sampled", () => {
  const rollout = rolloutOf(itemOf("ab", 7), "ba");
  expect(exampleOfRollout(rollout)).toEqual({
    context: Int32Array.from([1, 97, 98]),
    response: Int32Array.from([98, 97, 2]),
    item: "ab",
    difficulty: 7,
    origin: "model@0",
  });
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
    origin: "demonstration",
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

const tokens = (minLength: number) =>
  fc.array(fc.integer({ min: 0, max: 99 }), { minLength, maxLength: 8 }).map((ids) => Int32Array.from(ids));

property.prop([tokens(1), tokens(1)])(
  "positions predict the token after them; the first that counts predicts the response's first",
  (context, response) => {
    const example = { context, response, item: "", difficulty: 1, origin: "" };
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
