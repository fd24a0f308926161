import { describe, expect, test } from "vitest";
import type { Task } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { exampleOfRollout } from "../rollout/index.ts";
import {
  chatty,
  itemOf,
  letters,
  noModels,
  rolloutOf,
  type Speak,
  samplingOf,
} from "../rollout/testing/fakes.ts";
import { forced, type GeneratePart, ladder, withHints } from "./index.ts";

const task: Task = {
  ...reverse(),
  verifier: {
    name: "reversed",
    version: 1,
    verify: ({ answer }, { text, complete }) =>
      text === "?"
        ? { outcome: "void", reason: "down" }
        : { outcome: "scored", score: complete && text.endsWith(answer ?? " ") ? 1 : 0 },
  },
  prompts: { hint: ({ prompt, answer }) => ({ prompt: `${prompt}(${answer})` }) },
};

const write = async (part: GeneratePart, speak: Speak, asked: Task = task) => {
  const policy = samplingOf(speak);
  const items = [itemOf("ab"), itemOf("cd")];
  const request = {
    task: asked,
    models: noModels,
    earlier: async () => [],
    items,
    maxTokens: () => 12,
    seed: 3,
    policy,
  };
  const groups = await part.generate(request);
  return { groups, calls: policy.sampler.calls.flat() };
};
const saidIn = (groups: Awaited<ReturnType<typeof write>>["groups"]): string[][] =>
  groups.map(({ rollouts }) => rollouts.map(({ response }) => response.text));

describe("ladder", () => {
  test("attempts each item at each temperature, with numbers of its own, and numbers the attempts through", async () => {
    const part = ladder({ temperatures: [0.5, 1], samples: 2 });
    const { groups, calls } = await write(
      part,
      (prompt, sample, { parameters }) => `${prompt[1]}${sample}${parameters.temperature}`,
    );
    expect(saidIn(groups)[0]).toEqual(["b00.5", "b10.5", "b01", "b11"]);
    expect(groups[1]?.rollouts.map(({ sample }) => sample)).toEqual([0, 1, 2, 3]);
    expect(new Set(calls.map(({ seed }) => seed)).size).toBe(4);
    expect(part.samplesPerItem).toBe(4);
  });
});

describe("withHints", () => {
  const speak: Speak = (prompt) => (prompt.includes("(dc)") ? "so dc" : prompt.includes("ab") ? "ba" : "no");

  test("shows the answer where every first attempt failed, and learns what was written as an answer to the item alone", async () => {
    const { groups, calls } = await write(withHints(), speak);
    expect(saidIn(groups)).toEqual([["ba"], ["no", "so dc"]]);
    expect(calls.map(({ prompt }) => letters.decode(prompt))).toEqual(["ab", "cd", "cd(dc)"]);
    const [, hinted] = groups[1]?.rollouts ?? [];
    expect(letters.decode(hinted?.segments[0]?.tokens ?? new Int32Array())).toBe("cd(dc)");
    expect(letters.decode(exampleOfRollout(hinted as NonNullable<typeof hinted>).context)).toBe("cd");
  });

  test("follows another way to write, of whose turns the last must be right", async () => {
    const turns: GeneratePart = {
      ...ladder({ temperatures: [1], samples: 1 }),
      name: "two turns",
      samplesPerItem: 2,
      generate: async ({ items, policy }) =>
        items.map((item, index) => {
          const said = (text: string) => rolloutOf(item, text, { role: policy.role });
          const other = { ...said("why"), item: { ...item, canonical: `critique:${item.canonical}` } };
          // The first is right at once and then wrong, the second the other way round.
          const [first, second] = index === 0 ? ["ba", "x"] : ["x", "dc"];
          return { item, rollouts: [said(first), other, { ...said(second), turn: 1 }] };
        }),
    };
    const part = withHints({ first: turns });
    const { groups } = await write(part, speak);
    expect(saidIn(groups)).toEqual([
      ["ba", "why", "x", "ba"],
      ["x", "why", "dc"],
    ]);
    expect(() => withHints({ first: turns, samples: 2 })).toThrow(/leave "samples" out/);
    expect(part).toMatchObject({
      samplesPerItem: 3,
      description: { first: "two turns", "first.samples": 1 },
    });
  });

  test("asks nothing again that could not be judged", async () => {
    const { groups } = await write(withHints(), () => "?");
    expect(saidIn(groups)).toEqual([["?"], ["?"]]);
  });

  test("a model that reads messages is asked in plain language where the task has no words", async () => {
    const { prompts: _, ...wordless } = task;
    const policy = { ...samplingOf(speak), tokenizer: { ...chatty, decode: letters.decode } };
    await withHints().generate({
      ...{
        task: wordless,
        models: noModels,
        earlier: async () => [],
        items: [itemOf("cd")],
        maxTokens: () => 12,
        seed: 3,
      },
      policy,
    });
    expect(letters.decode(policy.sampler.calls[1]?.[0]?.prompt ?? new Int32Array())).toMatch(
      /^user:cd\s+The correct answer is: dc\s.*assistant:$/s,
    );
  });

  test("refuses, before anything starts, a task with words for other roles alone", () => {
    expect(() => withHints().check?.({ ...task, prompts: {} })).toThrow(
      expect.objectContaining({ code: "no-hint", message: expect.stringContaining("none for a hint") }),
    );
    expect(() => withHints().check?.(task)).not.toThrow();
  });
});

describe("forced", () => {
  test("who ends too soon goes on after the nudge; its words are a part of the response, with the model's logprobs", async () => {
    const speak: Speak = (prompt) => ({ text: prompt.endsWith("!") ? "xyz" : "q", logprob: -1 });
    const { groups, calls } = await write(forced({ least: 4, nudge: "!" }), speak);
    expect(saidIn(groups)).toEqual([["q!xyz"], ["q!xyz"]]);
    expect(calls.map(({ parameters }) => parameters.maxTokens)).toEqual([12, 12, 10, 10]);
    const sampled = groups[0]?.rollouts[0]?.segments[1];
    expect(sampled?.kind === "sampled" && [...sampled.logprobs]).toEqual([-1, -0.5, -1, -1, -1, -1]);
    expect(sampled?.tokens).toHaveLength(6);
  });

  test("nudges no more than it may, and none who has said enough", async () => {
    const { groups } = await write(forced({ least: 9, nudge: "!", nudges: 2 }), () => "q");
    expect(saidIn(groups)[0]).toEqual(["q!q!q"]);
    const { calls } = await write(forced({ least: 1, nudge: "!" }), () => "q");
    expect(calls).toHaveLength(2);
  });

  test("who is still at it is cut off and made to answer", async () => {
    const speak: Speak = (prompt) => (prompt.endsWith("=") ? "ba" : { text: "abcde", cut: true });
    const { groups, calls } = await write(forced({ most: 5, closing: "=", answerTokens: 3 }), speak);
    expect(saidIn(groups)[0]).toEqual(["abcde=ba"]);
    expect(groups[0]?.rollouts[0]?.response.complete).toBe(true);
    expect(calls.map(({ parameters }) => parameters.maxTokens)).toEqual([5, 5, 3, 3]);
  });

  test("refuses bounds that no response can keep", () => {
    expect(() => forced({ least: 9, most: 3 })).toThrow(/"least" is more than "most"/);
  });
});
