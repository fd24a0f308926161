import { describe, expect, test } from "vitest";
import type { RolloutGroup } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import {
  chatty,
  FakeSampler,
  itemOf,
  judgedByLetter,
  letters,
  noModels,
  rolloutOf,
  type Said,
} from "../rollout/testing/fakes.ts";
import { learnedReward, type RewardPart, verifier, withBaseline } from "./index.ts";

const task = judgedByLetter(reverse());

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
});

describe("withBaseline", () => {
  test("keeps the reward, and says of each item what was to be expected", async () => {
    const judge = new Judge(() => "");
    const part = withBaseline({ of: verifier() });
    const [group] = await scored(part, [groupOf("ab", ["ba", "x"])], judge);
    expect(judge.asked).toEqual(["aby", "abn"]);
    expect(group?.rollouts.map(({ reward, parts }) => [reward, parts.baseline])).toEqual([
      [1, chance(0)],
      [0, chance(0)],
    ]);
    expect(part).toMatchObject({ name: "verifier", origin: "external", asksVerifier: true });
  });

  test("two verdicts that begin alike are refused once the tokenizer is there, before anything is written", () => {
    const alike = { ...task, prompts: { ...task.prompts, verdictWords: ["right", "rong"] as const } };
    for (const part of [withBaseline({ of: verifier() }), learnedReward()]) {
      expect(() => part.check?.(alike)).not.toThrow();
      expect(() => part.check?.(alike, letters)).toThrow(expect.objectContaining({ code: "no-verdict" }));
      expect(() => part.check?.(task, letters)).not.toThrow();
    }
    // What it is of is asked too.
    const part = withBaseline({ of: learnedReward() });
    expect(() => part.check?.({ ...task, prompts: {} })).toThrow(
      expect.objectContaining({ code: "no-judge" }),
    );
  });
});
