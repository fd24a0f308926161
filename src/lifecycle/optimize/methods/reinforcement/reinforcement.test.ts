import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ScoredGroup } from "../../../../foundation/contract/index.ts";
import type { Method, Pass } from "../../../../gro/method.ts";
import { itemOf, noModels, rolloutOf } from "../../../../gro/rollout/testing/fakes.ts";
import { applied, attempts, Bandits, logitsOf } from "../../../../gro/update/testing/bandit.ts";
import { reverse } from "../../../../world/task/index.ts";
import {
  cispo,
  dapo,
  drGrpo,
  empo,
  grpo,
  gspo,
  intuitor,
  ppo,
  reinforcePlusPlus,
  rent,
  rloo,
  ttrl,
} from "../../index.ts";

let bandits: Bandits;
beforeAll(async () => {
  bandits = await Bandits.open();
});
afterAll(() => bandits[Symbol.asyncDispose]());

const passOf = ({ passes: [pass] }: Method): Pass => pass as Pass;
const rate = 0.5;
const rewards = [1, 0, 0.5, 0];
const baseline = 0.25;
const texts = ["a", "b", "c", "d"];
const centred = rewards.map((one) => one - 0.375);
const deviation = Math.sqrt(centred.reduce((sum, one) => sum + one * one, 0) / 4);
const normalised = centred.map((one) => one / deviation);

/** What a method's update makes of the logits of four single letters, from the uniform policy by plain descent. */
async function moved(method: Method, groups?: readonly ScoredGroup[]): Promise<number[]> {
  await using model = await bandits.model();
  const given = groups ?? [
    attempts(
      "p",
      texts.map((text, at) => [text, rewards[at] as number, baseline] as const),
    ),
  ];
  await applied(passOf(method).update, model, given);
  await using sampler = await model.snapshot();
  return (await logitsOf(sampler, "p", texts)).map(([first]) => first as number);
}

const one = { learningRate: rate, minibatches: 1 };
const plain = { learningRate: rate };

describe("a step from the uniform policy, by the closed form of each method's formula", () => {
  test.each<readonly [string, Method, readonly number[]]>([
    ["grpo", grpo(one), normalised],
    ["grpo as its paper has it", grpo({ ...one, average: "responses", kl: {} }), normalised],
    ["drGrpo", drGrpo({ ...plain, length: 2 }), centred.map((value) => value / 2)],
    ["dapo", dapo(one), normalised],
    ["rloo", rloo(plain), centred.map((value) => (value * 4) / 3)],
    ["reinforcePlusPlus", reinforcePlusPlus(one), normalised],
    ["gspo", gspo(one), normalised],
    ["cispo", cispo(one), normalised],
    ["ppo", ppo({ ...plain, iterations: 1 }), rewards.map((value) => value - baseline)],
    ["empo", empo(plain), normalised],
    ["intuitor", intuitor(plain), normalised],
    ["rent", rent(plain), normalised],
  ])("%s", async (_, method, advantages) => {
    for (const [at, logit] of (await moved(method)).entries())
      expect(logit).toBeCloseTo((rate * (advantages[at] as number)) / 4, 5);
  });

  test("ttrl: all votes are rewarded, the first are trained", async () => {
    const [first, second, third] = await moved(ttrl({ ...plain, samples: 4, trained: 2 }));
    expect(first).toBeCloseTo(rate / 2, 5);
    expect(second).toBeCloseTo(-rate / 2, 5);
    expect(third).toBeCloseTo(0, 5);
  });
});

describe("what each method is made of", () => {
  test("dapo: bounds that are not alike, batches that are filled, and a reward of two parts", () => {
    const { reward, update, refill, items } = passOf(dapo());
    expect({ refill, items }).toEqual({ refill: 3, items: 32 });
    expect(reward.description).toEqual({
      right: "1 × verifier",
      overlong: "0.5 × overlong penalty",
      "overlong.cache": 0.2,
    });
    expect(update.description).toMatchObject({ loss: "ppo", clipLow: 0.8, clipHigh: 1.28, minibatches: 4 });
    expect(update.description).not.toHaveProperty("kl");
  });

  test("dapo: an overlong right answer is better than a short wrong one, as in the paper", async () => {
    const task = { ...reverse(), maxTokens: () => 10 };
    const attempt = (prompt: string, texts: readonly string[]) => {
      const item = itemOf(prompt);
      return { item, rollouts: texts.map((text) => rolloutOf(item, text)) };
    };
    // With their ends: all tokens, half of the cache, and none of it.
    const digits = ["123456789", "12345678", "1"];
    const groups = [
      ...digits.map((text) => attempt([...text].reverse().join(""), [text])),
      attempt("xy", digits),
    ];
    const scored = await passOf(dapo()).reward.reward(groups, {
      verify: async ({ answer }, { text }) => ({ outcome: "scored", score: text === answer ? 1 : 0 }),
      task,
      models: noModels,
      seed: 1,
    });
    // The paper's rewards, ±1 and the whole penalty, are twice these less 1.
    const found = scored.flatMap(({ rollouts }) =>
      rollouts.map(({ reward }) => 2 * (reward ?? Number.NaN) - 1),
    );
    for (const [at, paper] of [0, 0.5, 1, -2, -1.5, -1].entries()) expect(found[at]).toBeCloseTo(paper, 12);
  });

  test.each([grpo, drGrpo])("%o: ratios are clipped where weights that lie back wrote", (make) => {
    const bounds = { loss: "ppo", clipLow: 0.8, clipHigh: 1.2 };
    expect(passOf(make({ overlap: true })).update.description).toMatchObject(bounds);
    expect(passOf(make()).update.description).toMatchObject({ loss: "importance_sampling" });
  });

  test("ppo: a solver that writes, and a critic that is asked and learns what is solved", () => {
    const method = ppo();
    const pass = passOf(method);
    expect(method).toMatchObject({ roles: ["solver", "critic"], alike: true, lead: "solver" });
    expect(pass.writers).toEqual(["solver"]);
    expect(pass.reward.description).toEqual({ baseline: "critic" });
    expect(pass.update.description).toMatchObject({
      advantages: "learned",
      kl: 0.05,
      klIn: "reward",
      iterations: 4,
    });
    expect(pass.updates?.critic?.description).toMatchObject({ of: "item", steps: 4 });
  });

  test("rewards that nobody outside gives are said to be so, and what they need of the engine", () => {
    for (const method of [ttrl(), intuitor(), empo(), rent()])
      expect(passOf(method).reward.origin).toBe("self-derived");
    for (const method of [intuitor(), rent()])
      expect(passOf(method).reward.needs).toEqual({ extensions: ["certainty"] });
    expect(passOf(ttrl()).update.description).toMatchObject({ trained: 32 });
    expect(passOf(ttrl({ samples: 4 })).update.description).toMatchObject({ trained: 4 });
    expect(passOf(intuitor()).update.description).toMatchObject({ kl: 0.005, klIn: "loss" });
  });

  test.each<readonly [string, () => Method, RegExp]>([
    ["samples of one", () => rloo({ samples: 1 }), /"samples"/],
    ["a bound that is none", () => dapo({ clipHigh: 0.9 }), /"clipHigh"/],
    ["an option of another method", () => gspo({ kl: 1 } as object), /no option "kl"/],
    ["a slip", () => ttrl({ traind: 3 } as object), /did you mean "trained"/],
    [
      "more trained than vote",
      () => ttrl({ samples: 4, trained: 5 }),
      /trained is 5, and only 4 attempts vote/,
    ],
    ["a threshold below another", () => empo({ least: 2, most: 1 }), /"least" is more than "most"/],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});
