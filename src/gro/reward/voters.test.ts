import { expect, test } from "vitest";
import type { Rollout, RolloutGroup, TokenCertainty } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import {
  FakeSampler,
  itemOf,
  judgedByLetter,
  letters,
  noModels,
  rolloutOf,
} from "../rollout/testing/fakes.ts";
import {
  agreement,
  clusterFrequency,
  consensus,
  distinct,
  learnedReward,
  majority,
  modalLength,
  negativeEntropy,
  type RewardPart,
  selfCertainty,
  throughout,
  trajectories,
  voteShare,
} from "./index.ts";

const item = itemOf("3718=");
const said = (text: string, role = "solver"): Rollout => rolloutOf(item, text, { role });
/** What a role says on the way: a plan, a critique, a search. */
const onTheWay = (name: string, text: string, role = "solver"): Rollout =>
  rolloutOf({ ...item, canonical: `${name}:${item.canonical}` }, text, { role });
const attempts = [said("3019"), said("3019"), said("312")];
const plans = ["12", "12", "12", "3"].map((text, index) => onTheWay(`plan ${index}`, text));

class Sure extends FakeSampler {
  async certainty(sequences: readonly Int32Array[]): Promise<TokenCertainty[]> {
    return sequences.map(({ length }) => {
      const own = new Float32Array(length).fill(2);
      return { selfCertainty: own, entropy: own };
    });
  }
}

const rewardsOf = async (part: RewardPart, rollouts: readonly Rollout[]) => {
  const groups: RolloutGroup[] = [{ item, rollouts }];
  const [scored] = await part.reward(groups, {
    verify: async () => ({ outcome: "void", reason: "nobody asked" }),
    task: judgedByLetter(reverse()),
    models: {
      ...noModels,
      policyOf: (role) => ({ role, sampler: new Sure(() => ""), tokenizer: letters }),
    },
    seed: 1,
  });
  const given = new Map(scored?.rollouts.map(({ rollout, reward }) => [rollout, reward]));
  return rollouts.map((rollout) => given.get(rollout));
};

test.each([
  ["majority", majority(), [1, 1, 0]],
  ["majority by half", majority({ share: 0.5 }), [1, 1, 0]],
  ["cluster frequency", clusterFrequency(), [2 / 3, 2 / 3, 1 / 3]],
  ["cluster frequency within bounds", clusterFrequency({ least: 0.6, most: 0.7 }), [2 / 3, 2 / 3, 1 / 3]],
  ["vote share", voteShare(), [2 / 3, 2 / 3, 1 / 3]],
  ["consensus", consensus(), [1, 1, 0]],
  ["modal length", modalLength(), [1, 1, 0]],
  ["learned reward", learnedReward(), [0.5, 0.5, 0.5]],
  ["self-certainty", selfCertainty(), [2, 2, 2]],
  ["negative entropy", negativeEntropy(), [-2, -2, -2]],
  ["paths that differ", distinct({ of: majority(), by: "text" }), [1, 0, 0]],
])("plans in the group change nothing of %s, and have no reward of their own", async (_, part, expected) => {
  expect(await rewardsOf(part, attempts)).toEqual(expected);
  const nothing = plans.map(() => null);
  expect(await rewardsOf(part, [...attempts, ...plans])).toEqual([...expected, ...nothing]);
  expect(await rewardsOf(part, [...plans, ...attempts])).toEqual([...nothing, ...expected]);
});

test("peers agree by what they answer, whatever they plan", async () => {
  const rollouts = [said("7"), said("7", "peer"), said("8", "peer"), said("7", "peer")];
  const planned = ["8", "8"].map((text, index) => onTheWay(`plan ${index}`, text, "peer"));
  expect(await rewardsOf(agreement(), [...rollouts, ...planned])).toEqual([1, 1, 0, 1, null, null]);
});

test("a critique has no vote, and the reward of the answer that came of it", async () => {
  const revised = (text: string): Rollout => ({ ...said(text), turn: 1 });
  const rollouts = [
    ...[said("5"), said("7")],
    ...[onTheWay("critique 0", "5", "critic"), onTheWay("critique 1", "5", "critic")],
    ...[revised("7"), revised("7")],
  ];
  expect(await rewardsOf(trajectories({ by: majority() }), rollouts)).toEqual([0, 1, 1, 1, 1, 1]);
});

test("a search has no vote, and the reward of the answer after it where it has one throughout", async () => {
  const turns = (sample: number, query: string, answer: string): Rollout[] => [
    { ...onTheWay("search", query), sample },
    { ...said(answer), sample, turn: 1 },
  ];
  const rollouts = [...turns(0, "q", "7"), ...turns(1, "q", "7"), ...turns(2, "q", "8")];
  expect(await rewardsOf(majority(), rollouts)).toEqual([null, 1, null, 1, null, 0]);
  expect(await rewardsOf(throughout({ of: majority() }), rollouts)).toEqual([1, 1, 1, 1, 0, 0]);
});
