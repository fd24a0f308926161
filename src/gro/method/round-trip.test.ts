import { describe, expect, test } from "vitest";
import type { RolloutGroup, Task } from "../../foundation/contract/index.ts";
import { itemOf as placed, reverse } from "../../world/task/index.ts";
import { askDocuments } from "../generate/index.ts";
import { type RewardContext, roundTrip } from "../reward/index.ts";
import { documentFinder } from "../rollout/nearest-documents.ts";
import { itemOf, letters, noModels, rolloutOf, type Speak, samplingOf } from "../rollout/testing/fakes.ts";

const strings = reverse({ lengths: [4, 6] });
/** Questions that a model can ask, one a document. */
const questions = Array.from({ length: 90 }, (_, index) => String(1000 + 17 * index)).filter(
  (text) => placed(strings, { prompt: `${text}=`, answer: "", difficulty: 4 }).split === "train",
);
const [first = "", second = ""] = questions;
const task: Task = {
  ...strings,
  document: ({ canonical }) => `about ${canonical}`,
  readProblem: (text, difficulty) =>
    /^\d{4}$/.test(text)
      ? { prompt: `${text}=`, answer: [...text].reverse().join(""), difficulty }
      : undefined,
  prompts: {
    ask: (document, difficulty) => ({ prompt: `${difficulty}?${document}` }),
    ground: ({ prompt }, document) => ({ prompt: `${document}|${prompt}` }),
  },
};
const contextOf = (speak: Speak, given: Task = task): RewardContext & { readonly heard: string[] } => {
  const heard: string[] = [];
  const policy = samplingOf((prompt, sample, request) => {
    if (sample === 0) heard.push(prompt);
    return speak(prompt, sample, request);
  });
  return {
    heard,
    verify: async () => {
      throw new Error("the verifier was asked");
    },
    task: given,
    models: { ...noModels, policyOf: (role) => ({ ...policy, role }) },
    seed: 1,
  };
};
/** Questions about the document of a string. */
const about = (canonical: string, ...texts: readonly string[]): RolloutGroup => {
  const item = { ...itemOf(`${canonical}=`), canonical, difficulty: 4 };
  const asked = { ...item, canonical: `ask:${canonical}` };
  return { item, rollouts: texts.map((text) => rolloutOf(asked, text)) };
};

describe("documentFinder", () => {
  const places = (documents: readonly string[], question: string, most: number): number[] =>
    documentFinder(documents)(question, most).map(({ index }) => index);

  test("finds what shares rare stretches of three characters, however they are written", () => {
    const documents = ["the cat sat", "the dog ran", "a cat and a dog"];
    expect(places(documents, "cat?", 1)).toEqual([0]);
    expect(places(documents, "a  DOG", 3)).toEqual([2, 1]);
    expect(places(documents, "zzz", 3)).toEqual([]);
    expect(places(["same", "same"], "same", 1)).toEqual([0]);
  });

  test("scores as the formula says", () => {
    // Three trigrams that one of two documents has, which are three and five trigrams long: idf ln 2, tf 1, ¾ of the mean's length.
    const [found] = documentFinder(["abc", "xyzab"])("abc", 2);
    const each = (Math.log(2) * 2.2) / (1 + 1.2 * (0.25 + 0.75 * 0.75));
    expect(found?.score).toBeCloseTo(3 * each, 12);
  });
});

describe("askDocuments", () => {
  test("shows each item's document, and is no answer to the item", async () => {
    const policy = samplingOf(() => "1234");
    const items = [itemOf("12="), itemOf("34=")];
    const request = { task, models: noModels, earlier: async () => [], items, maxTokens: () => 9, seed: 3 };
    const groups = await askDocuments({ samples: 2 }).generate({ ...request, policy });
    expect(policy.sampler.calls.flat().map(({ prompt }) => letters.decode(prompt))).toEqual([
      "3?about 12=",
      "3?about 34=",
    ]);
    for (const { item, rollouts } of groups)
      expect(rollouts.map((one) => one.item.canonical)).toEqual([
        `ask:${item.canonical}`,
        `ask:${item.canonical}`,
      ]);
    const given = askDocuments({ documents: ["one text"] });
    await given.generate({ ...request, policy });
    expect(letters.decode(policy.sampler.calls.at(-1)?.[0]?.prompt ?? new Int32Array())).toBe("3?one text");
    expect(given.description).toMatchObject({ documents: 1 });
    expect(given.description).not.toEqual(askDocuments({ documents: ["other text"] }).description);
  });

  test("refuses a task without documents, that reads no questions, or has words for other roles alone", () => {
    const { document: _, ...bare } = task;
    const { readProblem: __, ...silent } = task;
    for (const part of [askDocuments(), roundTrip()]) {
      expect(() => part.check?.(bare)).toThrow(expect.objectContaining({ code: "no-documents" }));
      expect(() => part.check?.(silent)).toThrow(expect.objectContaining({ code: "no-proposals" }));
      expect(() => part.check?.({ ...task, prompts: {} })).toThrow(
        expect.objectContaining({ code: "no-words" }),
      );
    }
    expect(() => askDocuments({ documents: ["x"] }).check?.(bare)).not.toThrow();
  });
});

describe("roundTrip", () => {
  test("keeps a question that finds its document and is answered alike with it in view; it becomes an item so", async () => {
    const context = contextOf((_, sample) => (sample < 3 ? "77" : "5"));
    const [scored] = await roundTrip().reward([about("a", first)], {
      ...context,
      task: { ...task, document: () => `about ${first}` },
    });
    expect(context.heard).toEqual([`about ${first}|${first}=`]);
    expect(scored?.rollouts[0]).toMatchObject({
      reward: 1,
      parts: { valid: 1, train: 1, novel: 1, found: 1, agreed: 0.75 },
      made: { prompt: `about ${first}|${first}=`, answer: "77", split: "train", source: "model:solver" },
    });
  });

  test("drops what is answered otherwise each time, and what leads to other documents", async () => {
    const groups = [about("a", first), about("b", second)];
    const documentOf = (canonical: string): string =>
      canonical === "a" ? `about ${first}` : `nothing of it`;
    const grounded: Task = { ...task, document: ({ canonical }) => documentOf(canonical) };
    const context = contextOf((_, sample) => String(sample), grounded);
    const scored = await roundTrip({ nearest: 1 }).reward(groups, context);
    const parts = scored.flatMap(({ rollouts }) =>
      rollouts.map((one) => [one.reward, one.parts.found, one.parts.agreed]),
    );
    expect(parts).toEqual([
      [0, 1, 0],
      [0, 0, undefined],
    ]);
    expect(scored.every(({ rollouts }) => rollouts.every(({ made }) => made === undefined))).toBe(true);
    // What is not found is not answered either.
    expect(context.heard).toHaveLength(1);
  });

  test("is 0 for what is no question or was asked before", async () => {
    const context = contextOf(() => "7");
    const one: Task = { ...task, document: () => `about ${first}` };
    const [scored] = await roundTrip().reward([about("a", "no", first, first)], { ...context, task: one });
    expect(scored?.rollouts.map(({ reward }) => reward)).toEqual([0, 1, 0]);
    expect(scored?.rollouts.map(({ parts }) => [parts.valid, parts.novel])).toEqual([
      [0, undefined],
      [1, 1],
      [1, 0],
    ]);
  });
});
