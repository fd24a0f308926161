import { describe, expect, test } from "vitest";
import type { Rollout, RolloutGroup } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { itemOf, noModels, rolloutOf, samplingOf } from "../rollout/testing/fakes.ts";
import { byTurn } from "./by-turn.ts";
import type { RewardContext } from "./part.ts";
import { ungraded } from "./ungraded.ts";
import { voteShare } from "./vote-share.ts";
import { winRate } from "./win-rate.ts";

const item = itemOf("ab");
/** Scored by the digit that it says. */
const context: RewardContext = {
  verify: async (_, { text }) =>
    text === "void" ? { outcome: "void", reason: "died" } : { outcome: "scored", score: Number(text) },
  task: reverse(),
  models: noModels,
  seed: 1,
};
const said = (text: string, rest: Partial<Rollout> = {}): Rollout => ({ ...rolloutOf(item, text), ...rest });
const rewards = async (
  part: { reward: ReturnType<typeof byTurn>["reward"] },
  rollouts: readonly Rollout[],
  given = context,
) => {
  const [group] = await part.reward([{ item, rollouts }], given);
  return group?.rollouts.map(({ reward }) => reward);
};

describe("byTurn", () => {
  const turns = [
    said("0", { sample: 0 }),
    said("1", { sample: 1 }),
    said("1", { sample: 0, turn: 1 }),
    said("0", { sample: 1, turn: 1 }),
    said("1", { sample: 2, turn: 1 }),
    said("0", { sample: 3, turn: 1 }),
  ];
  test("adds a bonus for being better than the attempt that was revised, and takes it for being worse", async () => {
    expect(await rewards(byTurn({ bonus: 10 }), turns)).toEqual([0, 1, 11, 0, 1, -10]);
  });

  test("a revision of what could not be judged has no bonus to speak of, and no reward", async () => {
    const unsure = [said("void"), said("1", { turn: 1 })];
    expect(await rewards(byTurn({ bonus: 1 }), unsure)).toEqual([null, null]);
    expect(await rewards(byTurn(), unsure)).toEqual([null, 1]);
  });

  test("may reward the last turn alone, and keep what is good enough", async () => {
    const shares = [said("0.9"), said("0.4", { turn: 1, sample: 0 }), said("0.6", { turn: 1, sample: 1 })];
    expect(await rewards(byTurn({ turns: "last", keepFrom: 0.5 }), shares)).toEqual([null, 0, 1]);
  });

  test("a critique stays where it is, without a reward", async () => {
    const critique = said("it is wrong", { item: { ...item, canonical: "critique 1 0:ab" } });
    const [group] = await byTurn().reward([{ item, rollouts: [said("1"), critique] }], context);
    expect(group?.rollouts.map(({ reward }) => reward)).toEqual([1, null]);
    expect(group?.rollouts[1]?.rollout).toBe(critique);
  });
});

describe("winRate", () => {
  test("is the share of the others that a response beats, a tie counting half; void ones play no part", async () => {
    const rollouts = [said("1"), said("1"), said("0"), said("void")];
    expect(await rewards(winRate(), rollouts)).toEqual([0.75, 0.75, 0, null]);
    expect(await rewards(winRate(), [said("1")])).toEqual([null]);
  });

  test.each(["base", "start", "champion"] as const)(
    "against the weights of %s it is measured by their answers, which are not learnt from",
    async (against) => {
      const asked: string[] = [];
      const models = {
        ...noModels,
        reference: async (role: string, which: string) => {
          asked.push(`${role} ${which}`);
          return samplingOf((_, sample) => (sample === 0 ? "1" : "0"));
        },
      };
      const part = winRate({ against, samples: 4 });
      expect(await rewards(part, [said("1"), said("0")], { ...context, models })).toEqual([0.875, 0.375]);
      expect(asked).toEqual([`solver ${against}`]);
      expect(part).toMatchObject({ references: [against], origin: "external" });
    },
  );
});

test("voteShare is the share of attempts that answer alike, as the task reads them", async () => {
  const group: RolloutGroup = {
    item,
    rollouts: [
      said("x1"),
      said("y1"),
      said("2"),
      said("3"),
      { ...rolloutOf(item, { text: "1", cut: true }) },
    ],
  };
  const read = {
    ...context,
    task: { ...reverse(), answerOf: (_: unknown, { text }: { text: string }) => text.at(-1) },
  };
  const [scored] = await voteShare().reward([group], read);
  expect(scored?.rollouts.map(({ reward }) => reward)).toEqual([0.4, 0.4, 0.2, 0.2, 0]);
});

test("ungraded rewards nothing", async () => {
  expect(await rewards(ungraded(), [said("1"), said("0")])).toEqual([null, null]);
});
