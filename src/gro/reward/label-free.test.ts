import { describe, expect, test } from "vitest";
import type { RolloutGroup, Sampler, Task, TokenCertainty } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { FakeSampler, itemOf, letters, noModels, rolloutOf, type Said } from "../rollout/testing/fakes.ts";
import {
  clusterFrequency,
  majority,
  negativeEntropy,
  overlongPenalty,
  type RewardPart,
  repetitionPenalty,
  selfCertainty,
  verifier,
  weighted,
} from "./index.ts";

const cut = (text: string): Said => ({ text, cut: true });
const groupOf = (prompt: string, texts: readonly Said[]): RolloutGroup => {
  const item = itemOf(prompt);
  return { item, rollouts: texts.map((said) => rolloutOf(item, said)) };
};

/** Says of position i of a sequence that its certainty is i, and its entropy i / 10. */
class Counting extends FakeSampler {
  async certainty(sequences: readonly Int32Array[]): Promise<TokenCertainty[]> {
    return sequences.map(({ length }) => {
      const count = Float32Array.from({ length }, (_, at) => (at === 0 ? Number.NaN : at));
      return { selfCertainty: count, entropy: count.map((one) => one / 10) };
    });
  }
}

const scored = async (
  part: RewardPart,
  groups: readonly RolloutGroup[],
  task: Task = reverse(),
  sampler?: Sampler,
) =>
  part.reward(groups, {
    verify: async ({ answer }, { text }) =>
      text === "?"
        ? { outcome: "void", reason: "the grader fell over" }
        : { outcome: "scored", score: text === answer ? 1 : 0 },
    task,
    models:
      sampler === undefined
        ? noModels
        : { ...noModels, policyOf: (role) => ({ role, sampler, tokenizer: letters }) },
    seed: 1,
  });
const rewardsOf = async (...given: Parameters<typeof scored>): Promise<(number | null)[][]> =>
  (await scored(...given)).map(({ rollouts }) => rollouts.map(({ reward }) => reward));

describe("selfCertainty and negativeEntropy", () => {
  // 1 and two letters, then the response and its end: positions 3 to 5, and 3 alone.
  const group = groupOf("ab", ["xy", cut("z")]);

  test("are means over the tokens of the response alone", async () => {
    const sampler = new Counting(() => "");
    expect(await rewardsOf(selfCertainty(), [group], reverse(), sampler)).toEqual([[4, 3]]);
    const [entropies = []] = await rewardsOf(negativeEntropy(), [group], reverse(), sampler);
    expect(entropies.map((one) => Number(one?.toFixed(6)))).toEqual([-0.4, -0.3]);
  });

  test("need an engine that tells it, and give nothing where it does not", async () => {
    for (const part of [selfCertainty(), negativeEntropy()]) {
      expect(part).toMatchObject({ origin: "self-derived", needs: { extensions: ["certainty"] } });
      expect(await rewardsOf(part, [group], reverse(), new FakeSampler(() => ""))).toEqual([[null, null]]);
      expect(await rewardsOf(part, [groupOf("ab", [cut("")])], reverse(), new Counting(() => ""))).toEqual([
        [null],
      ]);
    }
  });
});

describe("clusterFrequency", () => {
  test("is the share of attempts that mean the same, 0 for one that says nothing", async () => {
    const group = groupOf("ab", ["x", "y", "x", cut("x")]);
    expect(await rewardsOf(clusterFrequency(), [group])).toEqual([[0.5, 0.25, 0.5, 0]]);
  });

  test("means are the task's answers where it reads them", async () => {
    const task = {
      ...reverse(),
      answerOf: (_: unknown, { text }: { text: string }) => text.split(" ").at(-1),
    };
    const group = groupOf("ab", ["so 7", "thus 7", "8", "7"]);
    expect(await rewardsOf(clusterFrequency(), [group], task)).toEqual([[0.75, 0.75, 0.25, 0.75]]);
    expect(await rewardsOf(majority(), [group], task)).toEqual([[1, 1, 0, 1]]);
  });

  test("items that are too sure or too unsure have no difference of reward", async () => {
    const sure = groupOf("ab", ["x", "x", "x", "x"]);
    const torn = groupOf("cd", ["x", "y", "z", "w"]);
    const between = groupOf("ef", ["x", "x", "x", "y"]);
    const bounded = clusterFrequency({ least: 0.1, most: 1 });
    expect(await rewardsOf(bounded, [sure, torn, between])).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [0.75, 0.75, 0.75, 0.25],
    ]);
    expect(() => clusterFrequency({ least: 2, most: 1 })).toThrow(/"least" is more than "most"/);
  });
});

describe("repetitionPenalty", () => {
  test("is minus the share of stretches that stood there before", async () => {
    // abcabc and its end: abc bca cab abc bc$: one of five again.
    const [rewards = []] = await rewardsOf(repetitionPenalty(), [
      groupOf("p", ["abcabc", "abcdef", "a", "aaaaa"]),
    ]);
    expect(rewards).toEqual([
      expect.closeTo(-0.2, 12),
      expect.closeTo(0),
      expect.closeTo(0),
      expect.closeTo(-0.5, 12),
    ]);
  });
});

describe("overlongPenalty", () => {
  test("is 0 up to the cache, falls in a straight line, and is −1 for what did not end", async () => {
    const task = { ...reverse(), maxTokens: () => 10 };
    const texts = ["1234567", "12345678", "123456789", cut("1234567890")];
    const [rewards = []] = await rewardsOf(overlongPenalty({ cache: 0.2 }), [groupOf("p", texts)], task);
    // With their ends 8, 9 and 10 of 10 tokens; the cache begins after 8.
    expect(rewards).toEqual(
      [0, expect.closeTo(-0.5, 12), -1, -1].map((one) => (one === 0 ? expect.closeTo(0) : one)),
    );
  });
});

describe("weighted", () => {
  const both = weighted({
    right: { reward: verifier() },
    often: { reward: clusterFrequency({ most: 3 }), weight: 0.5 },
  });

  test("adds up, and keeps what it added", async () => {
    const [group] = await scored(both, [groupOf("ab", ["ba", "ba", "x", "?"])]);
    expect(group?.rollouts.map(({ reward }) => reward)).toEqual([1.25, 1.25, 0.125, null]);
    expect(group?.rollouts.map(({ parts }) => parts)).toEqual([
      { right: 1, often: 0.5 },
      { right: 1, often: 0.5 },
      { right: 0, often: 0.25 },
      { often: 0.25 },
    ]);
  });

  test("is what its rewards are together", () => {
    expect(both).toMatchObject({
      origin: "external",
      asksVerifier: true,
      peers: 1,
      description: { right: "1 × verifier", often: "0.5 × cluster frequency", "often.most": 3 },
    });
    expect(
      weighted({ sure: { reward: selfCertainty() }, long: { reward: overlongPenalty() } }),
    ).toMatchObject({
      origin: "self-derived",
      needs: { extensions: ["certainty"] },
    });
    expect(weighted({ sure: { reward: selfCertainty() } })).not.toHaveProperty("asksVerifier");
  });

  test("refuses nothing at all, and what cannot reward", () => {
    expect(() => weighted({})).toThrow(/at least one reward/);
    expect(() => weighted({ right: { reward: "verifier" } } as never)).toThrow(/such as verifier\(\)/);
    expect(() => weighted({ right: { reward: verifier(), wieght: 2 } } as never)).toThrow(
      /did you mean "right.weight"|weight/,
    );
  });
});
