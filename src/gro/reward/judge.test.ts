import { describe, expect, test } from "vitest";
import type { ChatModel, RolloutGroup, Sampler, Task } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import {
  chatty,
  FakeSampler,
  itemOf,
  letters,
  noModels,
  rolloutOf,
  type Speak,
} from "../rollout/testing/fakes.ts";
import { readBetter, readScore } from "./judge/read-verdict.ts";
import { judge } from "./judge.ts";
import { pairwiseJudge } from "./pairwise-judge.ts";
import type { RewardContext } from "./part.ts";

const groupOf = (prompt: string, ...texts: readonly string[]): RolloutGroup => {
  const item = itemOf(prompt);
  return { item, rollouts: texts.map((text, sample) => ({ ...rolloutOf(item, text), sample })) };
};

const contextOf = (sampler: Sampler, task: Task = reverse(), tokenizer = chatty): RewardContext => ({
  verify: async () => ({ outcome: "void", reason: "nobody asked" }),
  task,
  models: { ...noModels, policyOf: (role) => ({ role, sampler, tokenizer }) },
  seed: 7,
});

describe("reading verdicts", () => {
  test.each([
    ["Reasons.\nScore: 4", 4],
    ["Reasons. Score: 4", 4],
    ["Score: 1\n… no,\n**Score:** 3.5\n", 3.5],
    ["## score: <4>", 4],
    ["**Score: 3/5.**", 3],
    ["Score: 4 out of 5 points", 4],
    ["Score: 0", 0],
    ["Score: 4/10", undefined],
    ["Score: 7", undefined],
    ["Score: -1", undefined],
    ["Score: 3\nScore: −1", undefined],
    ["Score: 1 + 1 + 1 = 3", undefined],
    ["A score 3 would be too much", undefined],
    ["four points", undefined],
  ])("%s", (text, score) => {
    expect(readScore(text, 5)).toBe(score);
  });

  test.each([
    ["Better: A", true],
    ["Better: A\nNo.\r\nBetter: B", false],
    ["Reasons.\n\n**Better**: b", false],
    ["- better: **A**.", true],
    ["Neither is better. A tie.", undefined],
    ["It would be better a bit shorter", undefined],
    ["What is better: a shorter one", undefined],
    ["Better: A\nBetter: neither", undefined],
    ["Better: A or B", undefined],
    ["Both are good", undefined],
    ["Better: Answers", undefined],
  ])("%s", (text, first) => {
    expect(readBetter(text)).toBe(first);
  });
});

describe("judge, in words", () => {
  const speak: Speak = (prompt, sample) =>
    prompt.includes("splendid")
      ? sample === 0
        ? "Score: 5"
        : "Score: 4"
      : prompt.includes("bad")
        ? "Score: 1"
        : "hm";

  test("the mean of what can be read is the reward; what cannot be read is counted, and without any there is none", async () => {
    const [group] = await judge({ judgements: 2 }).reward(
      [groupOf("a", "splendid", "bad", "odd")],
      contextOf(new FakeSampler(speak)),
    );
    expect(group?.rollouts.map(({ reward, parts }) => [reward, parts])).toEqual([
      [0.9, { judgements: 2 }],
      [0.2, { judgements: 2 }],
      [null, { judgements: 0, unread: 2 }],
    ]);
  });

  test("a chat model may judge, and is asked each time anew", async () => {
    const asked: string[] = [];
    const model: ChatModel = {
      name: "somebody",
      description: {},
      answer: async (messages) => {
        asked.push(messages[0]?.content ?? "");
        return { text: "Score: 3", complete: true, logprobs: { told: false, reason: "none" } };
      },
    };
    const part = judge({ model, judgements: 2, rubric: "Be kind." });
    expect(part).toMatchObject({ origin: "external", description: { model: "somebody" } });
    const [group] = await part.reward([groupOf("a", "x")], contextOf(new FakeSampler(speak)));
    expect(group?.rollouts[0]?.reward).toBe(0.6);
    expect(asked).toHaveLength(2);
    expect(asked[0]).toMatch(/Be kind\.[\s\S]*<question>\na\n<\/question>\n<answer>\nx\n<\/answer>/);
    expect(() => judge({ model, learn: true })).toThrow(/somebody is not trained here/);
  });

  test("where judging is learnt, judgements of the most disputed response are rollouts with their win rates", async () => {
    const judging: Speak = (prompt, sample) => {
      if (!prompt.includes("Two judges")) return prompt.includes("plain") ? "Score: 3" : `Score: ${sample}`;
      // Whichever place it stands in, the judgement with 2 points is found better, else the first.
      return /<judgement-b>\nScore: 2/.test(prompt) ? "Better: B" : "Better: A";
    };
    const [group] = await judge({ judgements: 3, learn: true }).reward(
      [groupOf("a", "plain", "odd")],
      contextOf(new FakeSampler(judging)),
    );
    const said = group?.rollouts.slice(2) ?? [];
    expect(said.map(({ rollout, reward }) => [rollout.response.text, reward, rollout.role])).toEqual([
      ["Score: 0", 0.25, "solver"],
      ["Score: 1", 0.25, "solver"],
      ["Score: 2", 1, "solver"],
    ]);
    expect(said[0]?.rollout.item.canonical).toBe("judgement 1:a");
  });

  test.each([
    ["first", ["odd", "plain"]],
    ["last", ["plain", "odd"]],
  ])(
    "comparisons that cannot be read are counted, whether the disputed item stands %s",
    async (_, prompts) => {
      const judging: Speak = (prompt, sample) => {
        if (prompt.includes("Two judges")) return "Neither is better. A tie.";
        return prompt.includes("plain") ? "hm" : `Score: ${sample}`;
      };
      const scored = await judge({ judgements: 2, learn: true }).reward(
        prompts.map((text) => groupOf(text, text)),
        contextOf(new FakeSampler(judging)),
      );
      const said = scored.map(({ rollouts }) => rollouts.slice(1));
      expect(said.flat().map(({ reward, parts }) => [reward, parts])).toEqual([
        [null, { unread: 1 }],
        [null, { unread: 1 }],
      ]);
      expect(said[prompts.indexOf("odd")]).toHaveLength(2);
    },
  );

  test("a task that has words for other roles and none for a judge is refused before anything starts", () => {
    expect(() => judge().check?.({ ...reverse(), prompts: {} })).toThrow(/none for a judge/);
    expect(() => judge().check?.(reverse())).not.toThrow();
    expect(() => judge({ judgments: 3 } as object)).toThrow(/did you mean "judgements"/);
  });

  test("and a model that reads no conversations", async () => {
    await expect(
      judge().reward([groupOf("a", "x")], contextOf(new FakeSampler(speak), reverse(), letters)),
    ).rejects.toMatchObject({ code: "no-words" });
  });
});

describe("judge, by a word's probability", () => {
  const task: Task = {
    ...reverse(),
    prompts: { judge: (item, { text }) => ({ prompt: `j${item.prompt}${text}?` }), verdictWords: ["y", "n"] },
  };
  /** Probability of y and n after what ends in `good?`, `bad?` and anything else. */
  const chances = (prompt: string): readonly [number, number] =>
    prompt.includes("good") ? [0.6, 0.2] : prompt.includes("bad") ? [0.1, 0.3] : [1e-4, 1e-4];
  class Judge extends FakeSampler {
    override async logprobs(sequences: readonly Int32Array[]): Promise<Float32Array[]> {
      return sequences.map((sequence) => {
        const text = letters.decode(sequence);
        const chance = chances(text.slice(0, -1))[text.endsWith("y") ? 0 : 1];
        return new Float32Array(sequence.length).fill(Math.log(chance));
      });
    }
  }
  const context = (speak: Speak = () => "y") => contextOf(new Judge(speak), task, letters);

  test.each([{ rubric: "Be kind." }, { most: 3 }, { temperature: 0.7 }, { maxTokens: 9 }])(
    "refuses %o, which such a judge does not read",
    (options) => {
      expect(() => judge(options).check?.(task)).toThrow(/is of judgements in words, and the task reverse/);
      expect(() => judge(options).check?.(reverse(), chatty)).not.toThrow();
      expect(() => judge({ judgements: 2 }).check?.(task)).not.toThrow();
    },
  );

  test("is p(right) of both words; a judge that says neither is void", async () => {
    const [group] = await judge().reward([groupOf("a", "good", "bad", "odd")], context());
    expect(group?.rollouts.map(({ reward }) => reward && Number(reward.toFixed(4)))).toEqual([
      0.75,
      0.25,
      null,
    ]);
    expect(group?.rollouts[2]?.parts).toMatchObject({ unread: 1 });
  });

  test("verdicts that are learnt have as reward the share that the judge gives to what they say", async () => {
    const speak: Speak = (_, sample) => (["y", "n", "?"][sample] ?? "y") as string;
    const [group] = await judge({ judgements: 3, learn: true }).reward(
      [groupOf("a", "good")],
      context(speak),
    );
    expect(
      group?.rollouts.slice(1).map(({ rollout, reward }) => [rollout.response.text, reward?.toFixed(2)]),
    ).toEqual([
      ["y", "0.75"],
      ["n", "0.25"],
      ["?", undefined],
    ]);
  });
});

describe("pairwiseJudge", () => {
  test("compares in both orders: a judge who favours a place has said ½, and what cannot be read counts for neither", async () => {
    const better = (prompt: string, place: "a" | "b"): string =>
      prompt.slice(prompt.indexOf(`<answer-${place}>`), prompt.indexOf(`</answer-${place}>`));
    const speak: Speak = (prompt) => {
      const [a, b] = [better(prompt, "a"), better(prompt, "b")];
      if (a.includes("mute") || b.includes("mute")) return "…";
      if (a.includes("best")) return "Better: A";
      if (b.includes("best")) return "Better: B";
      return "Better: A";
    };
    const [group] = await pairwiseJudge().reward(
      [groupOf("q", "best", "this", "that", "mute")],
      contextOf(new FakeSampler(speak)),
    );
    expect(group?.rollouts.map(({ reward }) => reward)).toEqual([1, 0.25, 0.25, null]);
    expect(group?.rollouts.reduce((sum, { parts }) => sum + (parts.unread ?? 0), 0)).toBe(6);
  });
});

describe("judge, by weights that stand still", () => {
  const frozen = (reference: RewardContext["models"]["reference"], task: Task): RewardContext => {
    const context = contextOf(new FakeSampler(() => "Score: 5"), task);
    return { ...context, models: { ...context.models, reference } };
  };

  test("asks the writer's earlier weights, and not those that learn", async () => {
    const asked: string[] = [];
    const context = frozen(async (role, which) => {
      asked.push(`${role} at ${which}`);
      return { role, sampler: new FakeSampler(() => "Score: 2"), tokenizer: chatty };
    }, reverse());
    const [group] = await judge({ frozen: "base" }).reward([groupOf("a", "x")], context);
    expect(group?.rollouts.map(({ reward }) => reward)).toEqual([0.4]);
    expect(asked).toEqual(["solver at base"]);
    for (const weights of ["start", "champion"] as const)
      expect(judge({ frozen: weights }).references).toEqual([weights]);
    expect(judge().references).toBeUndefined();
  });

  test("which learn nothing", () => {
    expect(() => judge({ frozen: "base", learn: true })).toThrow(/they learn nothing/);
    expect(() => judge({ frozen: "now" as never })).toThrow(/"frozen"/);
  });
});
