import { expect, test } from "vitest";
import { exampleId } from "./example.ts";
import { exampleLike, someWriter } from "./testing/fakes.ts";
import { trainedExamples } from "./trained.ts";

const one = exampleLike({ prompt: "ab", answer: "ba", item: "ab" });
const alike = exampleLike({ prompt: "ab", answer: "ba", item: "ab" });
const written = exampleLike({ writer: someWriter });
const earlier = exampleLike({ writer: { ...someWriter, artifact: "earlier" } });
const other = exampleLike({ response: Int32Array.of(9), source: "data.jsonl:3" });

test("the same example from the same place is one, with its times added up; from another place it is another", () => {
  const uses = new Map([
    [one, 2],
    [written, 1],
    [alike, 3],
    [earlier, 1],
    [other, 4],
  ]);
  const trained = trainedExamples([{ uses, stepsAfter: 0 }], "own");
  expect(trained.map(({ times, tokens }) => [times, tokens])).toEqual([
    [5, 2],
    [1, 2],
    [1, 2],
    [4, 1],
  ]);
  expect(trained.map(({ writer }) => writer?.artifact)).toEqual([undefined, "own", "earlier", undefined]);
  expect(new Set(trained.map(({ id }) => id))).toEqual(new Set([exampleId(one), exampleId(other)]));
  expect(trained[0]).toEqual({
    id: exampleId(one),
    times: 5,
    tokens: 2,
    item: "ab",
    prompt: "ab",
    answer: "ba",
    source: "test",
    writer: null,
  });
});

test("rollouts that were not stored are told apart by the steps that were made before them", () => {
  const learnt = [0, 1].map((stepsAfter) => ({ uses: new Map([[written, 1]]), stepsAfter }));
  expect(trainedExamples(learnt, null).map(({ writer }) => [writer?.stepsAfter, writer?.artifact])).toEqual([
    [0, null],
    [1, null],
  ]);
});
