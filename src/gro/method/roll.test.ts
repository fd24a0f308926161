import { expect, test } from "vitest";
import type { Task } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { samples } from "../generate/index.ts";
import { gro, type Pass } from "../method.ts";
import { agreement, everything, judge, verifier, winRate } from "../reward/index.ts";
import {
  FakeModel,
  type FakeSampler,
  itemOf,
  noModels,
  policyOf,
  samplingOf,
} from "../rollout/testing/fakes.ts";
import { supervised } from "../update/index.ts";
import { type RollRequest, roll } from "./roll.ts";

const task = reverse({ lengths: [1, 4] });
const items = [itemOf("12="), itemOf("34=")];
const passOf = (reward: Pass["reward"], count: number): Pass =>
  gro({ generate: samples({ samples: count }), reward, update: supervised() }).passes[0] as Pass;

/** Rolls these items, led by the solver. */
const rolled = (request: Pick<RollRequest, "pass" | "policies"> & Partial<RollRequest>) =>
  roll({
    lead: "solver",
    task,
    items,
    earlier: async () => [],
    reference: noModels.reference,
    copy: noModels.copy,
    seed: 1,
    ...request,
  });

test("all roles' attempts at an item are rewarded together; the lead alone is judged", async () => {
  const told: [number, number][] = [];
  const { scored, tally } = await rolled({
    pass: passOf(agreement(), 1),
    policies: [
      policyOf(new FakeModel({ speak: (prompt) => (prompt === "12=" ? "21" : "33") }), "solver"),
      policyOf(new FakeModel({ speak: (prompt) => (prompt === "12=" ? "21" : "43") }), "peer"),
    ],
    onProgress: (done, all) => told.push([done, all]),
  });
  expect(scored.map(({ rollouts }) => rollouts.map(({ rollout, reward }) => [rollout.role, reward]))).toEqual(
    [
      [
        ["solver", 1],
        ["peer", 1],
      ],
      [
        ["solver", 0],
        ["peer", 0],
      ],
    ],
  );
  // The agreed label is one example, whoever wrote it; of the lead's two answers one is right.
  expect(tally).toMatchObject({
    rollouts: 4,
    judged: 2,
    judgedRight: 1,
    kept: 1,
    keptJudged: 1,
    keptRight: 1,
  });
  expect(tally.tokensSampled).toBe(4 * 3);
  // Four tokens a prompt, read once by each role.
  expect(tally.promptsRead).toBe(4 * 4);
  expect(told.at(-1)).toEqual([4, 4]);
});

/** What samplers say that they wrote and read, with a token that ends each answer. */
const takenOf = (samplers: readonly FakeSampler[], answer: string) => {
  const requests = samplers.flatMap(({ calls }) => calls.flat());
  return {
    tokensSampled: requests.reduce((sum, { samples: count }) => sum + count, 0) * (answer.length + 1),
    promptsRead: requests.reduce((sum, { prompt }) => sum + prompt.length, 0),
  };
};

test("what rewards sample is counted beside the responses: answers of an opponent, verdicts of a judge", async () => {
  const model = new FakeModel({ speak: () => "12" });
  const opponent = samplingOf(() => "12");
  const playing = await rolled({
    pass: passOf(winRate({ against: "start", samples: 16 }), 2),
    policies: [policyOf(model)],
    reference: async () => opponent,
  });
  const samplers = [...model.samplers, opponent.sampler];
  expect(opponent.sampler.calls.flat()).toHaveLength(2);
  expect(playing.tally).toMatchObject(takenOf(samplers, "12"));
  expect(playing.tally).toMatchObject({
    tokensSampled: (4 + 32) * 3,
    responseTokens: 4 * 3,
    promptsRead: 16,
  });

  const judging = new FakeModel({ speak: () => "12" });
  const { tokenizer } = policyOf(judging);
  const chat = { render: () => "", prompt: () => Int32Array.of(1, 7), answer: () => Int32Array.of(2) };
  const judged = await rolled({
    pass: passOf(judge({ judgements: 3 }), 2),
    policies: [{ ...policyOf(judging), tokenizer: { ...tokenizer, chat } }],
  });
  expect(judged.tally).toMatchObject(takenOf(judging.samplers, "12"));
  expect(judged.tally).toMatchObject({ tokensSampled: (4 + 4 * 3) * 3, responseTokens: 4 * 3 });
});

test("what a part samples and does not keep is counted too", async () => {
  const model = new FakeModel({ speak: () => "12" });
  const pass = passOf(verifier(), 4);
  const { generate } = pass;
  const { scored, tally } = await rolled({
    pass: {
      ...pass,
      generate: {
        ...generate,
        generate: async (request) =>
          (await generate.generate(request)).map((group) => ({
            ...group,
            rollouts: group.rollouts.slice(0, 1),
          })),
      },
    },
    policies: [policyOf(model)],
  });
  expect(scored.map(({ rollouts }) => rollouts.length)).toEqual([1, 1]);
  expect(tally).toMatchObject({ tokensSampled: 8 * 3, responseTokens: 2 * 3 });
});

test("of items that a model made it is counted how many no attempt solves, and how many all do", async () => {
  const made = ["12=", "34=", "56=", "78="].map((prompt) => ({
    ...itemOf(prompt),
    source: "model:proposer",
  }));
  const speak = (prompt: string, sample: number): string =>
    prompt === "12=" || (prompt === "34=" && sample === 0) ? [...prompt.slice(0, 2)].reverse().join("") : "0";
  const { tally } = await rolled({
    pass: passOf(verifier(), 3),
    policies: [policyOf(new FakeModel({ speak }))],
    items: [...made, ...items],
  });
  expect(tally).toMatchObject({
    proposalsAttempted: 4,
    proposalsNeverSolved: 2,
    proposalsAlwaysSolved: 1,
  });
});

test("shares keep what has more than its item's mean, and say nothing where all are the same", async () => {
  const shares: Pass["reward"] = {
    ...everything(),
    reward: async (groups) =>
      groups.map(({ item, rollouts }) => ({
        item,
        rollouts: rollouts.map((rollout, index) => ({
          rollout,
          reward: item.prompt === "12=" ? -0.5 : ([-0.2, -0.9, -0.7][index] ?? 0),
          parts: {},
        })),
      })),
  };
  const { tally } = await rolled({
    pass: passOf(shares, 3),
    policies: [policyOf(new FakeModel({ speak: (_, sample) => (sample === 0 ? "43" : "0") }))],
  });
  expect(tally).toMatchObject({
    judged: 6,
    judgedRight: 1,
    rightKept: 1,
    wrongKept: 0,
    rightVoid: 0,
    wrongVoid: 3,
  });
});

test("a verdict that is void is neither right nor wrong", async () => {
  const broken: Task = {
    ...task,
    verifier: {
      name: "broken",
      version: 1,
      verify: ({ prompt }) =>
        prompt === "12=" ? { outcome: "void", reason: "down" } : { outcome: "scored", score: 0.5 },
    },
  };
  const { tally } = await rolled({
    pass: passOf(everything(), 3),
    task: broken,
    policies: [policyOf(new FakeModel({ speak: (_, sample) => `${sample % 2}` }))],
  });
  // Of each item two texts are kept, the third repeats the first.
  expect(tally).toMatchObject({
    rollouts: 6,
    judged: 3,
    judgedRight: 0,
    kept: 4,
    keptJudged: 2,
    keptRight: 0,
    // A reward that does not ask the verifier learns from them all the same.
    voidVerdicts: 0,
  });
  const asked = await rolled({
    pass: passOf(verifier(), 3),
    task: broken,
    policies: [policyOf(new FakeModel({ speak: (_, sample) => `${sample % 2}` }))],
  });
  expect(asked.tally).toMatchObject({ rollouts: 6, voidVerdicts: 3 });
  const knowing = await rolled({
    pass: passOf(verifier(), 3),
    task: { ...broken, truth: { ...broken.verifier, verify: () => ({ outcome: "scored", score: 0 }) } },
    policies: [policyOf(new FakeModel({ speak: (_, sample) => `${sample % 2}` }))],
  });
  expect(knowing.tally).toMatchObject({ judged: 6, voidVerdicts: 3 });
});
