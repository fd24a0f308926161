import { describe, expect, test } from "vitest";
import type { Task } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import {
  chatty,
  FakeSampler,
  itemOf,
  letters,
  noModels,
  type Speak,
  samplingOf,
} from "../rollout/testing/fakes.ts";
import { harnessAnswers } from "./harness-answers.ts";
import type { GenerateRequest } from "./part.ts";
import { revisions } from "./revisions.ts";

const task: Task = {
  ...reverse(),
  prompts: {
    critique: (item, { text }) => ({ prompt: `c${item.prompt}${text}` }),
    revise: (item, { text }, critique = "") => ({ prompt: `r${item.prompt}${text}@${critique}` }),
  },
};

/** What was asked is written into the answer: first attempts by sample, critiques and revisions by what they were shown. */
const speak: Speak = (prompt, sample) =>
  prompt.startsWith("c") ? "!" : prompt.startsWith("r") ? `${prompt.slice(1)}.` : `${sample}`;

const requestOf = (say: Speak, rest: Partial<GenerateRequest> = {}) => {
  const policy = samplingOf(say);
  const request: GenerateRequest = {
    policy,
    task,
    models: { ...noModels, policyOf: (role) => ({ ...policy, role }) },
    earlier: async () => [],
    items: [itemOf("ab"), itemOf("xy")],
    maxTokens: () => 9,
    seed: 3,
    ...rest,
  };
  return { policy, request };
};

describe("revisions", () => {
  test("each attempt is revised in the task's words, as a rollout of the same item with its turn", async () => {
    const { request } = requestOf(speak);
    const part = revisions({ samples: 2, revisions: 2 });
    const [group, other] = await part.generate(request);
    expect(group?.rollouts.map(({ response, turn = 0, sample }) => [response.text, turn, sample])).toEqual([
      ["0", 0, 0],
      ["1", 0, 1],
      ["ab0@.", 1, 0],
      ["ab0@.", 1, 1],
      ["ab1@.", 1, 2],
      ["ab1@.", 1, 3],
    ]);
    expect(other?.rollouts.every(({ item }) => item === request.items[1])).toBe(true);
    expect(part.samplesPerItem).toBe(6);
  });

  test("equal attempts are revised with numbers of their own", async () => {
    const { policy, request } = requestOf(() => "same");
    await revisions({ samples: 2 }).generate(request);
    const seeds = policy.sampler.calls.flat().map(({ seed }) => seed);
    expect(new Set(seeds).size).toBe(seeds.length);
  });

  test("a critique comes before the revision that it leads to, and answers no item of the task", async () => {
    const { request } = requestOf(speak);
    const part = revisions({ samples: 1, critique: true, learn: "answer" });
    const [group] = await part.generate(request);
    expect(group?.rollouts.map(({ response, item }) => [response.text, item.canonical])).toEqual([
      ["0", "ab"],
      ["!", "critique 1 0:ab"],
      ["ab0@!.", "ab"],
    ]);
    expect(group?.rollouts[1]?.item.answer).toBeUndefined();
    const revised = group?.rollouts[2];
    expect(revised?.learnAfter).toEqual(Int32Array.from([1, ...letters.encode("ab")]));
    expect(revised?.segments[0]?.tokens).toEqual(Int32Array.from([1, ...letters.encode("rab0@!")]));
    expect(part.samplesPerItem).toBe(3);
  });

  test("a third turn revises the second", async () => {
    const { request } = requestOf(speak);
    const part = revisions({ samples: 1, turns: 3 });
    const [group] = await part.generate(request);
    expect(group?.rollouts.map(({ response, turn = 0 }) => [response.text, turn])).toEqual([
      ["0", 0],
      ["ab0@.", 1],
      ["abab0@.@.", 2],
    ]);
    expect(part.samplesPerItem).toBe(3);
  });

  test("a chat model is asked in plain words after its own answer", async () => {
    const sampler = new FakeSampler(() => "x");
    const policy = { role: "solver", sampler, tokenizer: chatty };
    const { request } = requestOf(speak, { policy, task: reverse() });
    const asked = { ...request, models: { ...request.models, policyOf: () => policy } };
    await revisions({ samples: 1, critique: true }).generate(asked);
    const said = sampler.calls.flat().map(({ prompt }) => letters.decode(prompt));
    expect(said[2]).toMatch(/^user:ab;assistant:x;user:Check the answer above/);
    expect(said[4]).toMatch(/^user:ab;assistant:x;user:Check .*;assistant:x;user:Answer the question anew/);
  });

  test("who has no words and reads no conversations is told so", async () => {
    const { request } = requestOf(speak, { task: reverse() });
    await expect(revisions().generate(request)).rejects.toMatchObject({
      code: "no-words",
      message: expect.stringMatching(
        /says nothing of how to ask for this \(prompts.revise\), and the model's tokenizer \(letters\) has no/,
      ),
    });
    expect(() => revisions({ critique: true }).check?.({ ...task, prompts: {} })).toThrow(
      /none for a revision or a critique/,
    );
    expect(() => revisions().check?.(task)).not.toThrow();
    expect(() => revisions({ turns: 1 })).toThrow(/"turns"/);
    expect(() => revisions({ critiqueTokens: 9 })).toThrow(/none is written; add critique: true/);
    expect(revisions({ critique: true, critiqueTokens: 9 }).description).toMatchObject({ critiqueTokens: 9 });
  });
});

test("harnessAnswers gives the rollout that the harness answered with, to be taught after the item alone", async () => {
  const { request } = requestOf(speak);
  const rollouts = await revisions({ samples: 2 }).generate(request);
  const harness = {
    name: "last",
    description: { of: 3 },
    samplesPerItem: 3,
    answer: async () =>
      rollouts.map(({ item, rollouts: own }, index) => ({
        item,
        response:
          index === 0
            ? (own[2]?.response ?? { text: "", complete: true })
            : { text: "composed", complete: true },
        rollouts: own,
      })),
  };
  const part = harnessAnswers({ harness });
  const [first, second] = await part.generate(request);
  expect(first?.rollouts.map(({ response, learnAfter }) => [response.text, learnAfter])).toEqual([
    ["ab0@.", Int32Array.from([1, ...letters.encode("ab")])],
  ]);
  expect(second?.rollouts).toEqual([]);
  expect(part).toMatchObject({ samplesPerItem: 3, description: { harness: "last", of: 3 } });
});
