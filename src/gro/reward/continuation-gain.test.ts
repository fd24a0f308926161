import { expect, test } from "vitest";
import type { Item, Sampler, Task } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { itemOf, letters, noModels, rolloutOf } from "../rollout/testing/fakes.ts";
import { continuationGain } from "./index.ts";

const item: Item = { ...itemOf("3718="), answer: "8" };
const task: Task = { ...reverse(), answerOf: (_, { text }) => text.at(-1) };

test("refuses a task whose problems name no answer, before anything starts", () => {
  const strings = reverse();
  const silent: Task = {
    ...strings,
    generate: (difficulty, random) => {
      const { answer: _, ...asked } = strings.generate(difficulty, random);
      return asked;
    },
  };
  expect(() => continuationGain().check?.(silent)).toThrow(
    expect.objectContaining({
      code: "no-answers",
      category: "user",
      message: expect.stringMatching(/the items of the task reverse name none: give a task whose problems/),
    }),
  );
  expect(() => continuationGain().check?.(strings)).not.toThrow();
});

test("is the log-likelihood of the true answer after the thought, less its mean over the thoughts", async () => {
  const asked: string[] = [];
  // Each token of the sequence after a thought costs as many nats as the thought has 9s, and one more.
  const sampler = {
    logprobs: async (sequences: readonly Int32Array[]) =>
      sequences.map((sequence) => {
        const text = letters.decode(sequence);
        asked.push(text);
        return new Float32Array(sequence.length).fill(-1 - (text.match(/9/g)?.length ?? 0));
      }),
  } as unknown as Sampler;
  const { answer: _, ...unknown } = item;
  const other = { ...unknown, canonical: "other" } as Item;
  const [scored, void_] = await continuationGain().reward(
    [
      { item, rollouts: ["3013", "9993", "3", "3093"].map((text) => rolloutOf(item, text)) },
      { item: other, rollouts: [rolloutOf(other, "3013")] },
    ],
    {
      verify: () => Promise.reject(new Error("the verifier was asked")),
      task,
      models: { ...noModels, policyOf: (role) => ({ role, sampler, tokenizer: letters }) },
      seed: 1,
    },
  );
  // The answer and the end: two tokens. The prompt holds no 9.
  expect(asked).toEqual(["3718=3018", "3718=9998", "3718=3098"]);
  expect(scored?.rollouts.map(({ reward, parts }) => [reward, parts.likelihood])).toEqual([
    [-2 - -14 / 3, -2],
    [-8 - -14 / 3, -8],
    [null, undefined],
    [-4 - -14 / 3, -4],
  ]);
  expect(void_?.rollouts.map(({ reward }) => reward)).toEqual([null]);
});
