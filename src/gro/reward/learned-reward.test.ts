import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { Item, RolloutGroup, Task } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import {
  chatty,
  FakeModel,
  FakeSampler,
  itemOf,
  letters,
  noModels,
  policyOf,
  rolloutOf,
  type Said,
  groupOf as scoredGroupOf,
} from "../rollout/testing/fakes.ts";
import { learnVerdicts } from "../update/index.ts";
import { learnedReward, type RewardPart, verifier, withBaseline } from "./index.ts";

/** Asked `prompt>text?`, to be answered by y or n. */
const task: Task = {
  ...reverse(),
  prompts: {
    judge: ({ prompt }: Item, { text }) => ({ prompt: `${prompt}>${text}?` }),
    verdictWords: ["y", "n"],
  },
};

/** A judge whose chance of y is 1 / (1 + e^−length) where l letters lie between > and ?; asked of an item, .5. */
class Judge extends FakeSampler {
  readonly asked: string[] = [];

  override async logprobs(sequences: readonly Int32Array[]): Promise<Float32Array[]> {
    return sequences.map((sequence) => {
      const text = letters.decode(sequence);
      this.asked.push(text);
      const judged = /> ?([^>]*)\?.$/s.exec(text)?.[1];
      const logprobs = new Float32Array(sequence.length).fill(-5);
      logprobs[sequence.length - 1] = text.endsWith("y") ? (judged?.length ?? 0) - 9 : -9;
      return logprobs;
    });
  }
}

const groupOf = (prompt: string, texts: readonly Said[]): RolloutGroup => {
  const item = itemOf(prompt);
  return { item, rollouts: texts.map((said) => rolloutOf(item, said)) };
};
const scored = async (part: RewardPart, groups: readonly RolloutGroup[], judge: Judge, tokenizer = letters) =>
  part.reward(groups, {
    verify: async ({ answer }, { text }) => ({ outcome: "scored", score: text === answer ? 1 : 0 }),
    task: tokenizer.chat === undefined ? task : reverse(),
    models: { ...noModels, policyOf: (role) => ({ role, sampler: judge, tokenizer }) },
    seed: 1,
  });
const chance = (length: number): unknown => expect.closeTo(1 / (1 + Math.exp(-length)), 6);

describe("learnedReward", () => {
  test("is the chance of the token that says right, among the two; what was cut off is worth nothing", async () => {
    const judge = new Judge(() => "");
    const [group] = await scored(
      learnedReward(),
      [groupOf("ab", ["x", "xyz", { text: "xy", cut: true }])],
      judge,
    );
    expect(group?.rollouts.map(({ reward }) => reward)).toEqual([chance(1), chance(3), 0]);
    expect(judge.asked.slice(0, 2)).toEqual(["ab>x?y", "ab>x?n"]);
  });

  test("of steps: each beginning is judged, and the least or the product counts", async () => {
    const groups = [groupOf("ab", ["x\n\nyz"])];
    const judge = new Judge(() => "");
    const [least] = await scored(learnedReward({ of: "steps" }), groups, judge);
    expect(judge.asked.filter((text) => text.endsWith("y"))).toEqual(["ab>x?y", "ab>x\n\nyz?y"]);
    expect(least?.rollouts).toMatchObject([{ reward: chance(1), parts: { steps: 2 } }]);
    const [product] = await scored(
      learnedReward({ of: "steps", combine: "product" }),
      groups,
      new Judge(() => ""),
    );
    expect(product?.rollouts[0]?.reward).toBeCloseTo(1 / (1 + Math.exp(-1)) / (1 + Math.exp(-5)), 6);
  });

  test("a chat model is asked in plain language; without words and without messages there is nobody to ask", async () => {
    const judge = new Judge(() => "");
    await scored(learnedReward(), [groupOf("ab", ["x"])], judge, chatty);
    expect(judge.asked[0]).toContain(
      "This was responded:\n\nx\n\nIs it right? Answer with one word, yes or no.",
    );
    const bare = { ...chatty, chat: undefined } as unknown as typeof letters;
    await expect(
      learnedReward().reward([groupOf("ab", ["x"])], {
        verify: () => Promise.reject(new Error("asked")),
        task: reverse(),
        models: { ...noModels, policyOf: (role) => ({ role, sampler: judge, tokenizer: bare }) },
        seed: 1,
      }),
    ).rejects.toMatchObject({ code: "no-judge", message: expect.stringContaining("prompts.judge") });
    expect(() => learnedReward().check?.({ ...task, prompts: {} })).toThrow(
      expect.objectContaining({ code: "no-judge" }),
    );
  });

  test("two verdicts that begin alike cannot be told apart", async () => {
    const alike = { ...task, prompts: { ...task.prompts, verdictWords: ["right", "rong"] as const } };
    const model = new FakeModel();
    const groups = [scoredGroupOf("a", [["x", 1]])];
    await expect(
      (async () =>
        learnVerdicts().update({
          policy: policyOf(model),
          groups,
          replay: { base: [], older: [] },
          task: alike,
          models: noModels,
          random: randomStream(0, "x"),
          from: 0,
          to: 1,
        }))(),
    ).rejects.toMatchObject({ code: "no-verdict" });
  });
});

describe("withBaseline", () => {
  test("keeps the reward, and says of each item what was to be expected", async () => {
    const judge = new Judge(() => "");
    const part = withBaseline(verifier());
    const [group] = await scored(part, [groupOf("ab", ["ba", "x"])], judge);
    expect(judge.asked).toEqual(["aby", "abn"]);
    expect(group?.rollouts.map(({ reward, parts }) => [reward, parts.baseline])).toEqual([
      [1, chance(0)],
      [0, chance(0)],
    ]);
    expect(part).toMatchObject({ name: "verifier", origin: "external", asksVerifier: true });
  });
});

describe("learnVerdicts", () => {
  const learn = async (options: Parameters<typeof learnVerdicts>[0], groups = scoredGroups) => {
    const model = new FakeModel();
    const part = learnVerdicts({ steps: 1, ...options });
    const outcome = await part.update({
      policy: policyOf(model, "verifier"),
      groups,
      replay: { base: [], older: [] },
      task,
      models: noModels,
      random: randomStream(0, "verdicts"),
      from: 0,
      to: 1,
    });
    const lessons = (model.trained[0]?.data ?? []).map(({ tokens, targets, weights }) => [
      letters.decode(Int32Array.of(...tokens, targets.at(-1) ?? 0)),
      weights?.at(-1),
      weights?.filter((one) => one !== 0).length,
    ]);
    return { model, outcome, lessons: lessons.sort() };
  };
  const item = itemOf("ab");
  const scoredGroups = [
    {
      item,
      rollouts: [
        { rollout: rolloutOf(item, "ba"), reward: 1, parts: { other: 0 } },
        { rollout: rolloutOf(item, "x"), reward: 0, parts: {} },
        { rollout: rolloutOf(item, "void"), reward: null, parts: {} },
        // A critique of it, which answers nothing.
        { rollout: rolloutOf(itemOf("critique"), "z"), reward: 1, parts: {} },
      ],
    },
  ];

  test("teaches the token of the verdict after the question, and nothing of what has none", async () => {
    const { lessons, outcome } = await learn({});
    expect(lessons).toEqual([
      ["ab>ba?y", 0.5, 1],
      ["ab>x?n", 0.5, 1],
    ]);
    expect(outcome.tokensTrained).toBe(2);
  });

  test("of the item alone, as often as it is solved; of a part of the score, where one is named", async () => {
    const half = [{ item, rollouts: [{ rollout: rolloutOf(item, "ba"), reward: 0.25, parts: {} }] }];
    expect((await learn({ of: "item" }, half)).lessons).toEqual([
      ["abn", 0.375, 1],
      ["aby", 0.125, 1],
    ]);
    expect((await learn({ part: "other" })).lessons).toEqual([["ab>ba?n", 1, 1]]);
  });

  test("makes no step where there is no verdict", async () => {
    const { model, outcome } = await learn({}, [{ item, rollouts: [] }]);
    expect(model.log).toEqual([]);
    expect(outcome.tokensTrained).toBe(0);
  });

  test("refuses what it does not have", () => {
    expect(() => learnVerdicts({ of: "outcomes" } as object)).toThrow(/did you mean "outcome"/);
  });
});
