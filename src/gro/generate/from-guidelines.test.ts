import { describe, expect, test } from "vitest";
import type { Task, Tokenizer } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { exampleOfRollout } from "../rollout/index.ts";
import { chatty, itemOf, letters, noModels, samplingOf } from "../rollout/testing/fakes.ts";
import { fromGuidelines } from "./index.ts";

const task: Task = {
  ...reverse(),
  prompts: {
    plan: ({ prompt }, guideline) => ({ prompt: `${prompt}${guideline}?` }),
    follow: ({ prompt }, plan) => ({ prompt: `${prompt}[${plan}]` }),
  },
};
const items = [itemOf("12="), itemOf("34=")];

async function write(given: Task, tokenizer: Tokenizer = letters) {
  const policy = {
    ...samplingOf((prompt) => (prompt.endsWith("?") ? `p${prompt[0]}` : "x")),
    tokenizer,
  };
  const request = {
    task: given,
    models: noModels,
    earlier: async () => [],
    items,
    maxTokens: () => 9,
    seed: 3,
  };
  const part = fromGuidelines({ guidelines: ["a", "b", "c"], samples: 2, planTokens: 5 });
  const groups = await part.generate({ ...request, policy });
  const calls = policy.sampler.calls.map((own) => own.map(({ prompt }) => letters.decode(prompt)));
  return { part, groups, calls, limits: policy.sampler.calls.map(([one]) => one?.parameters.maxTokens) };
}

describe("fromGuidelines", () => {
  test("makes a plan by another guideline for each attempt, and the attempt along the plan", async () => {
    const { part, groups, calls, limits } = await write(task);
    expect(calls).toEqual([
      ["12=a?", "12=b?", "34=c?", "34=a?"],
      ["12=[p1]", "12=[p1]", "34=[p3]", "34=[p3]"],
    ]);
    expect(limits).toEqual([5, 9]);
    expect(part).toMatchObject({ samplesPerItem: 6, offPolicy: true });
    expect(groups.map(({ rollouts }) => rollouts.map(({ response }) => response.text))).toEqual([
      ["x", "x", "p1", "p1"],
      ["x", "x", "p3", "p3"],
    ]);
  });

  test("teaches the attempt as an answer to the item alone; plans are answers to no item of the task", async () => {
    const { groups } = await write(task);
    const [first, second, plan] = groups[0]?.rollouts ?? [];
    expect(first?.item).toBe(items[0]);
    expect(second).toMatchObject({ item: items[0], sample: 1 });
    expect(letters.decode(exampleOfRollout(first as NonNullable<typeof first>).context)).toBe("12=");
    expect(plan?.item.canonical).toBe("plan 0:12=");
  });

  test("asks a model that reads messages in plain words: a guideline, a plan, an attempt", async () => {
    const { prompts: _, ...wordless } = task;
    const { calls, groups } = await write(wordless, { ...chatty, decode: letters.decode });
    expect(
      calls.map(([first = ""]) => /means for it|Make a short plan|along this plan/.exec(first)?.[0]),
    ).toEqual(["means for it", "Make a short plan", "along this plan"]);
    expect(groups[0]?.rollouts).toHaveLength(6);
  });

  test("refuses a task with words for other roles alone, and one whose model is not to be asked in words", async () => {
    expect(() => fromGuidelines().check?.({ ...task, prompts: {} })).toThrow(
      expect.objectContaining({ code: "no-words" }),
    );
    const { prompts: _, ...wordless } = task;
    await expect(write(wordless)).rejects.toThrow(expect.objectContaining({ code: "no-words" }));
    expect(() => fromGuidelines({ guidelines: [] })).toThrow(/"guidelines"/);
  });
});
