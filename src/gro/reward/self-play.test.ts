import { describe, expect, test } from "vitest";
import type { Response, RolloutGroup, Task, Verdict } from "../../foundation/contract/index.ts";
import { itemOf as placed, reverse } from "../../world/task/index.ts";
import { itemOf, noModels, rolloutOf, type Speak, samplingOf } from "../rollout/testing/fakes.ts";
import { consensus, labelled, learnability, type RewardContext } from "./index.ts";
import { learnable } from "./learnability.ts";

const strings = reverse({ lengths: [4, 6] });
const task: Task = {
  ...strings,
  readProblem: (text, difficulty) =>
    /^\d+$/.test(text) ? strings.generate(difficulty, fixed(text)) : undefined,
};
/** A stream from which a task draws just these digits. */
function fixed(text: string): Parameters<Task["generate"]>[1] {
  const left = [...text];
  return { pick: (from: readonly string[]) => left.shift() ?? from[0] } as never;
}
const contextOf = (speak: Speak, verify?: (response: Response) => Verdict): RewardContext => ({
  verify: async ({ prompt }, response) =>
    verify?.(response) ?? {
      outcome: "scored",
      score: response.text === [...prompt.slice(0, -1)].reverse().join("") ? 1 : 0,
    },
  task,
  models: { ...noModels, policyOf: (role) => samplingOf(speak, role) },
  seed: 1,
});
const proposals = (texts: readonly string[]): RolloutGroup => {
  const item = { ...itemOf("9999="), canonical: "9999", difficulty: 4 };
  const asked = { ...item, canonical: `propose:${item.canonical}` };
  return { item, rollouts: texts.map((text) => rolloutOf(asked, text, { role: "proposer" })) };
};
const splitOf = (text: string): string =>
  placed(strings, { prompt: `${text}=`, answer: "", difficulty: 4 }).split;
const stringsOf = (split: string): string[] =>
  Array.from({ length: 90 }, (_, index) => String(1000 + 17 * index)).filter(
    (text) => splitOf(text) === split,
  );
const training = stringsOf("train");

describe("learnability", () => {
  test("is the room that is left, or nearness to one half; nothing where all or none succeed", () => {
    const at = (form: Parameters<typeof learnable>[1]) =>
      [0, 0.25, 0.5, 1].map((solved) => learnable(solved, form, 4));
    expect(at("room")).toEqual([0, 0.75, 0.5, 0]);
    expect(at("middle")).toEqual([0, 0.5, 1, 0]);
    // 1 and 2 of 4 right: (4 − 1)/3 and (4 − 2)/3.
    expect(at("rare")).toEqual([0, 1, 2 / 3, 0]);
    const [none = 0, quarter = 0, half = 0, all = 0] = at("variance");
    expect(half).toBe(1);
    expect(quarter).toBeCloseTo(Math.exp(-(0.0625 ** 2) / 0.02), 12);
    expect([none, all]).toEqual([Math.exp(-(0.0625 / 0.02)), Math.exp(-(0.0625 / 0.02))]);
  });

  test("of what is no problem may be worth less than nothing, of a problem more by a constant", async () => {
    const [first = ""] = training;
    const reward = learnability({ attempts: 2, form: "rare", valid: 0.5, invalid: -0.1 });
    const [scored] = await reward.reward(
      [proposals(["no", first])],
      contextOf((prompt, sample) => (sample === 0 ? [...prompt.slice(0, 4)].reverse().join("") : "0")),
    );
    expect(scored?.rollouts.map((one) => one.reward)).toEqual([-0.1, 1.5]);
    expect(learnability().description).not.toHaveProperty("invalid");
  });

  test("may let the solver search: the last turn of each attempt counts, and the document is named in what is made", async () => {
    const [first = ""] = training;
    const searching: Task = {
      ...task,
      readQuery: (text) => (text === "?" ? "help" : undefined),
      prompts: { search: ({ prompt }, found) => ({ prompt: prompt + found.join("") }) },
    };
    const speak: Speak = (prompt) =>
      prompt.endsWith("help") ? [...prompt.slice(0, 4)].reverse().join("") : "?";
    const context = { ...contextOf(speak), task: searching };
    const { item, rollouts: plain } = proposals([first]);
    const rollouts = plain.map((rollout) => ({
      ...rollout,
      item: { ...rollout.item, source: "notes.jsonl:3" },
    }));
    const made = [{ item, rollouts }];
    const [scored] = await learnability({ attempts: 2, search: { documents: ["help"] } }).reward(
      made,
      context,
    );
    expect(scored?.rollouts[0]?.parts.solved).toBe(1);
    expect(scored?.rollouts[0]?.made?.source).toBe("model:proposer from notes.jsonl:3");
    const [without] = await learnability({ attempts: 2 }).reward(made, context);
    expect(without?.rollouts[0]?.parts.solved).toBe(0);
    expect(() => learnability({ search: {} }).check?.(task)).toThrow(
      expect.objectContaining({ code: "no-documents" }),
    );
  });

  test("of a proposal is how seldom the solver solves it; it becomes an item of training, written by a model", async () => {
    const [first = "", second = ""] = training;
    const speak: Speak = (prompt, sample) => (sample < 2 ? [...prompt.slice(0, 4)].reverse().join("") : "0");
    const [scored] = await learnability({ attempts: 8 }).reward(
      [proposals([first, second])],
      contextOf(speak),
    );
    expect(scored?.rollouts.map(({ reward }) => reward)).toEqual([0.75, 0.75]);
    expect(scored?.rollouts[0]?.made).toMatchObject({
      prompt: `${first}=`,
      split: "train",
      source: "model:proposer",
      answer: [...first].reverse().join(""),
    });
    expect(scored?.rollouts[0]?.parts).toEqual({ valid: 1, train: 1, novel: 1, solved: 0.25 });
  });

  test("is 0 for what is no problem, was there before, or belongs to another split", async () => {
    const [first = ""] = training;
    const [kept = ""] = stringsOf("decision");
    const texts = ["no", first, first, "9999", kept];
    const [scored] = await learnability({ attempts: 2 }).reward(
      [proposals(texts)],
      contextOf((prompt, sample) => (sample === 0 ? [...prompt.slice(0, 4)].reverse().join("") : "0")),
    );
    expect(scored?.rollouts.map(({ reward }) => reward)).toEqual([0, 0.5, 0, 0, 0]);
    expect(scored?.rollouts.map(({ made }) => made !== undefined)).toEqual([
      false,
      true,
      false,
      false,
      false,
    ]);
    expect(scored?.rollouts.map(({ parts }) => parts.valid)).toEqual([0, 1, 1, 1, 1]);
    expect(scored?.rollouts.at(-1)?.parts).toEqual({ valid: 1, train: 0 });
  });

  test("by a vote needs no verifier, and the vote becomes the answer", async () => {
    const [first = ""] = training;
    const never = (): Verdict => {
      throw new Error("the verifier was asked");
    };
    const [scored] = await learnability({ attempts: 4, by: "majority", form: "middle" }).reward(
      [proposals([first])],
      contextOf((_, sample) => (sample < 3 ? "77" : "5"), never),
    );
    expect(scored?.rollouts[0]).toMatchObject({
      reward: 0.5,
      made: { answer: "77" },
      parts: { solved: 0.75 },
    });
  });

  test("of a tied vote is what half of the attempts say, and what is made has no answer", async () => {
    const [first = ""] = training;
    const [scored] = await learnability({ attempts: 10, by: "majority", form: "middle" }).reward(
      [proposals([first])],
      contextOf((_, sample) => (sample < 5 ? "77" : "5")),
    );
    expect(scored?.rollouts[0]).toMatchObject({ reward: 1, parts: { solved: 0.5 } });
    expect(scored?.rollouts[0]?.made).toMatchObject({ prompt: `${first}=` });
    expect(scored?.rollouts[0]?.made).not.toHaveProperty("answer");
  });

  test("is nothing at all where no attempt could be judged", async () => {
    const [first = ""] = training;
    const down = (): Verdict => ({ outcome: "void", reason: "down" });
    const [scored] = await learnability().reward(
      [proposals([first])],
      contextOf(() => "1", down),
    );
    expect(scored?.rollouts[0]).toMatchObject({ reward: null });
    expect(scored?.rollouts[0]?.made).toBeUndefined();
  });

  test("refuses a task that reads no problems", () => {
    expect(() => learnability().check?.(strings)).toThrow(expect.objectContaining({ code: "no-proposals" }));
  });
});

describe("consensus", () => {
  const item = itemOf("ab");
  const said = (texts: readonly string[], turn: number) =>
    texts.map((text) => ({ ...rolloutOf(item, text), ...(turn === 0 ? {} : { turn }) }));

  test("is what most last words say; first responses are measured by it too", async () => {
    const group = { item, rollouts: [...said(["x", "x", "y"], 0), ...said(["y", "y", "x"], 1)] };
    const [scored] = await consensus().reward(
      [group],
      contextOf(() => ""),
    );
    expect(scored?.rollouts.map(({ reward }) => reward)).toEqual([0, 0, 1, 1, 1, 0]);
    expect(scored?.rollouts.map(({ made }) => made?.answer)).toEqual([
      "y",
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("is none where the last words are tied", async () => {
    const group = { item, rollouts: [...said(["x", "x"], 0), ...said(["y", "x"], 1)] };
    const [scored] = await consensus().reward(
      [group],
      contextOf(() => ""),
    );
    expect(scored?.rollouts.map(({ reward, made }) => [reward, made])).toEqual(Array(4).fill([0, undefined]));
  });
});

test("labelled compares with the item's answer, and has no reward for an item without one", async () => {
  const item = itemOf("ab");
  const { answer: _, ...unknown } = item;
  const groups = [item, unknown].map((one) => ({
    item: one,
    rollouts: ["ba", "x"].map((text) => rolloutOf(one, text)),
  }));
  const scored = await labelled().reward(
    groups,
    contextOf(() => ""),
  );
  expect(scored.map(({ rollouts }) => rollouts.map(({ reward }) => reward))).toEqual([
    [1, 0],
    [null, null],
  ]);
});
