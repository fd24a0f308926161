import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import type { Item, Response, RolloutGroup, Verdict } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { itemOf, noModels, rolloutOf, type Said } from "../rollout/testing/fakes.ts";
import {
  agreement,
  everything,
  majority,
  modalLength,
  permuted,
  type RewardPart,
  verifier,
} from "./index.ts";

const cut = (text: string): Said => ({ text, cut: true });

/** Attempts by role: `{ solver: ["ba"], peer: ["ba"] }`. */
const groupOf = (prompt: string, attempts: Readonly<Record<string, readonly Said[]>>): RolloutGroup => {
  const item = itemOf(prompt);
  return {
    item,
    rollouts: Object.entries(attempts).flatMap(([role, texts]) =>
      texts.map((said) => rolloutOf(item, said, { role })),
    ),
  };
};

const never = (): Verdict => {
  throw new Error("the verifier was asked");
};

const rewardsOf = async (
  part: RewardPart,
  groups: readonly RolloutGroup[],
  verify: (item: Item, response: Response) => Verdict = never,
  seed = 1,
): Promise<(number | null)[][]> => {
  const scored = await part.reward(groups, {
    verify: async (item, response) => verify(item, response),
    task: reverse(),
    models: noModels,
    seed,
  });
  expect(scored.map(({ item }) => item)).toEqual(groups.map(({ item }) => item));
  expect(scored.map(({ rollouts }) => rollouts.map(({ rollout }) => rollout))).toEqual(
    groups.map(({ rollouts }) => rollouts),
  );
  return scored.map(({ rollouts }) => rollouts.map(({ reward }) => reward));
};

describe("verifier", () => {
  test("gives the verdict's score, and nothing at all for a void one", async () => {
    const verify = ({ answer }: Item, { text, complete }: Response): Verdict => {
      if (text === "?") return { outcome: "void", reason: "the grader fell over" };
      return { outcome: "scored", score: complete && text === answer ? 1 : text === "" ? 0 : 0.25 };
    };
    const groups = [groupOf("ab", { solver: ["ba", cut("ba"), "", "?"] }), groupOf("c", { solver: ["c"] })];
    expect(await rewardsOf(verifier(), groups, verify)).toEqual([[1, 0.25, 0, null], [1]]);
    expect(verifier()).toMatchObject({ origin: "external", peers: 1 });
  });
});

describe("majority", () => {
  test("rewards the most frequent complete answer", async () => {
    const groups = [groupOf("ab", { solver: ["x", "y", "x", cut("x"), "z"] })];
    expect(await rewardsOf(majority(), groups)).toEqual([[1, 0, 1, 0, 0]]);
    expect(majority()).toMatchObject({ origin: "self-derived", peers: 1 });
  });

  test("rewards nobody on a tie, and nobody where all were cut off", async () => {
    const tie = groupOf("ab", { solver: ["x", "y", "x", "y", "z"] });
    const none = groupOf("ab", { solver: [cut("x"), cut("x")] });
    expect(await rewardsOf(majority(), [tie, none])).toEqual([
      [0, 0, 0, 0, 0],
      [0, 0],
    ]);
  });

  test("can demand a share of all attempts, those that were cut off among them", async () => {
    const group = groupOf("ab", { solver: ["x", "x", "y", cut("x")] });
    expect(await rewardsOf(majority({ share: 0.5 }), [group])).toEqual([[1, 1, 0, 0]]);
    expect(await rewardsOf(majority({ share: 0.51 }), [group])).toEqual([[0, 0, 0, 0]]);
    expect(() => majority({ share: 2 })).toThrow(/"share"/);
  });

  property.prop([fc.array(fc.constantFrom("x", "y", "z"), { minLength: 1, maxLength: 9 })])(
    "rewards one answer at most, and that one more often given than any other",
    async (texts) => {
      const [rewards = []] = await rewardsOf(majority(), [groupOf("ab", { solver: texts })]);
      const rewarded = new Set(texts.filter((_, index) => rewards[index] === 1));
      expect(rewarded.size).toBeLessThanOrEqual(1);
      const count = (text: string): number => texts.filter((one) => one === text).length;
      const most = Math.max(...["x", "y", "z"].map(count));
      const winners = ["x", "y", "z"].filter((text) => count(text) === most);
      expect([...rewarded]).toEqual(winners.length === 1 ? winners : []);
    },
  );
});

describe("agreement", () => {
  test("rewards what all peers say, and nothing else", async () => {
    const groups = [
      groupOf("ab", { solver: ["ba"], peer: ["ba"] }),
      groupOf("ab", { solver: ["ba"], peer: ["bb"] }),
      groupOf("ab", { solver: ["ba"], peer: [cut("ba")] }),
      groupOf("ab", { solver: [cut("ba")], peer: [cut("ba")] }),
      groupOf("ab", { solver: [""], peer: [""] }),
    ];
    expect(await rewardsOf(agreement(), groups)).toEqual([
      [1, 1],
      [0, 0],
      [0, 0],
      [0, 0],
      [1, 1],
    ]);
    expect(agreement()).toMatchObject({ origin: "self-derived", peers: 2 });
  });

  test("one who attempts alone agrees with nobody", async () => {
    expect(await rewardsOf(agreement(), [groupOf("ab", { solver: ["ba", "ba"] })])).toEqual([[0, 0]]);
    const two = groupOf("ab", { solver: ["ba"], peer: ["ba"] });
    expect(await rewardsOf(agreement({ peers: 3 }), [two])).toEqual([[0, 0]]);
  });

  test("of several attempts each peer's most frequent answer counts", async () => {
    const groups = [
      groupOf("ab", { solver: ["x", "x", "y"], peer: ["x", "z", "x"] }),
      groupOf("ab", { solver: ["x", "y"], peer: ["x", "x"] }),
    ];
    expect(await rewardsOf(agreement(), groups)).toEqual([
      [1, 1, 0, 1, 0, 1],
      [0, 0, 0, 0],
    ]);
  });

  test("needs two at least", () => {
    expect(() => agreement({ peers: 1 })).toThrow(/"peers"/);
  });
});

describe("modalLength", () => {
  test("rewards complete answers of each difficulty's most frequent length", async () => {
    const groups = [
      groupOf("ab", { solver: ["xx"] }),
      groupOf("cd", { solver: ["yy"] }),
      groupOf("ef", { solver: ["yyy"] }),
      groupOf("gh", { solver: [cut("yy")] }),
      groupOf("abc", { solver: ["xx"] }),
    ];
    expect(await rewardsOf(modalLength(), groups)).toEqual([[1], [1], [0], [0], [1]]);
  });

  test("endless outputs have no say, and a tie goes to the shorter in any order", async () => {
    const endless = ["ab", "cd", "ef"].map((prompt) => groupOf(prompt, { solver: [cut("x".repeat(99))] }));
    expect(await rewardsOf(modalLength(), endless)).toEqual([[0], [0], [0]]);
    const groups = [groupOf("ab", { solver: ["xxx"] }), groupOf("cd", { solver: ["xx"] })];
    expect(await rewardsOf(modalLength(), groups)).toEqual([[0], [1]]);
    expect(await rewardsOf(modalLength(), groups.toReversed())).toEqual([[1], [0]]);
  });
});

test("everything rewards right, wrong and cut off alike, without asking", async () => {
  expect(await rewardsOf(everything(), [groupOf("ab", { solver: ["x", cut("y"), ""] })])).toEqual([
    [1, 1, 1],
  ]);
});

test.each([verifier(), majority(), agreement(), modalLength(), everything()])(
  "$name has nothing to say about nothing",
  async (part) => {
    expect(await rewardsOf(part, [])).toEqual([]);
    expect(await rewardsOf(part, [groupOf("ab", {})])).toEqual([[]]);
  },
);

describe("permuted", () => {
  const half = Array.from({ length: 40 }, (_, index) =>
    groupOf(`${index}`, { solver: ["right", "wrong", "?"], peer: ["right"] }),
  );
  const verify = (_: Item, { text }: Response): Verdict =>
    text === "?" ? { outcome: "void", reason: "no" } : { outcome: "scored", score: text === "right" ? 1 : 0 };
  const reward = permuted({ of: verifier(), seed: 3 });

  test("hands out the same rewards, to others; who has none gets none", async () => {
    const rewards = await rewardsOf(reward, half, verify);
    const [right = [], wrong = [], none = []] = [0, 1, 2].map((place) => rewards.map((own) => own[place]));
    const sum = (values: readonly (number | null | undefined)[]): number =>
      values.reduce<number>((total, value) => total + (value ?? 0), 0);
    expect(none.every((value) => value === null)).toBe(true);
    // Within a role: whatever the peer said was right.
    expect(rewards.every((own) => own[3] === 1)).toBe(true);
    expect(sum(right) + sum(wrong)).toBe(40);
    // Hypergeometric: 20 of 40 with a deviation of 2.3.
    expect(Math.abs(sum(right) - 20)).toBeLessThan(10);
  });

  test("deals a batch alike each time, and two batches apart", async () => {
    const first = await rewardsOf(reward, half, verify);
    expect(await rewardsOf(reward, half, verify)).toEqual(first);
    expect(await rewardsOf(reward, half, verify, 2)).not.toEqual(first);
    expect(await rewardsOf(permuted({ of: verifier(), seed: 4 }), half, verify)).not.toEqual(first);
  });

  test("is what its reward is, and says so, but says nothing of the answers", () => {
    expect(permuted({ of: agreement({ peers: 3 }) })).toMatchObject({
      name: "permuted agreement",
      description: { of: "agreement", peers: 3 },
      origin: "self-derived",
      peers: 3,
    });
    expect(reward).not.toHaveProperty("asksVerifier");
    expect(() => permuted({ of: "verifier" } as never)).toThrow(/expected a reward/);
    expect(() => permuted({ of: verifier(), sead: 1 } as never)).toThrow(/did you mean "seed"/);
  });
});
