import { describe, expect, test } from "vitest";
import { randomStream } from "../../../foundation/base/index.ts";
import type { Example, ScoredGroup } from "../../../foundation/contract/index.ts";
import { reverse } from "../../../world/task/index.ts";
import { exampleOfRollout } from "../../rollout/index.ts";
import { FakeModel, FakeSampler, groupOf, letters, policyOf } from "../../rollout/testing/fakes.ts";
import { derivativeFault, derivativeTolerance, negated } from "../testing/derivative.ts";
import { type TabularPolicy, tabularPolicy } from "../testing/tabular-policy.ts";
import { pairLossOf, pairLossSchema } from "./pair-loss.ts";
import { type PreferenceOptions, pairsLoss, preference } from "./preference.ts";

const groups: readonly ScoredGroup[] = [
  groupOf("a", [
    ["good", 1],
    ["bad", 0],
  ]),
  groupOf("b", [
    ["same", 1],
    ["same", 1],
  ]),
];
const rest = { replay: { base: [], older: [] }, task: reverse(), random: randomStream(0, "update") };

describe("preference", () => {
  test("one pair: both responses are trained by the derivative at log ratio 0, against the weights that the pass began with", async () => {
    const model = new FakeModel();
    const asked: string[] = [];
    const models = {
      reference: async (role: string, which: string) => {
        asked.push(`${role} at ${which}`);
        return { role, sampler: new FakeSampler(() => ""), tokenizer: letters };
      },
    };
    const outcome = await preference({ steps: 1 }).update({
      ...rest,
      policy: policyOf(model),
      groups,
      models,
      from: 0,
      to: 1,
    });
    expect(asked).toEqual(["solver at start"]);
    expect(model.log).toEqual(["forward", "forwardBackward", "optimStep"]);
    const [chosen, rejected] = model.trained[0]?.data ?? [];
    // Context 1 a: the first position predicts none of the response. β/2 = .05.
    expect([...(chosen?.weights ?? [])].map((one) => one.toFixed(6))).toEqual([
      "0.000000",
      ...Array.from({ length: 5 }, () => "0.050000"),
    ]);
    expect([...(rejected?.weights ?? [])].map((one) => one.toFixed(6))).toEqual([
      "0.000000",
      ...Array.from({ length: 4 }, () => "-0.050000"),
    ]);
    expect(outcome).toMatchObject({ tokensTrained: 9, realTokens: 0 });
    expect(outcome.losses[0]).toBeCloseTo(Math.log(2), 5);
    expect([...outcome.uses.values()]).toEqual([1, 1]);
  });

  test("counts what it skips, and of nothing makes no step", () => {
    const learning = { groups, replay: rest.replay, random: rest.random, role: "solver" };
    const part = preference();
    expect(part.compared?.(learning)).toMatchObject({ taught: 1, skipped: 1 });
    expect(part.steps({ newest: 9, base: 0 }, learning)).toBe(1);
    const [, equal] = groups;
    expect(part.steps({ newest: 9, base: 0 }, { ...learning, groups: [equal as ScoredGroup] })).toBe(0);
    expect(preference({ steps: 7 }).steps({ newest: 9, base: 0 }, { ...learning, role: "peer" })).toBe(0);
    // What is planned for before anything was written.
    expect(preference({ batch: 4 }).steps({ newest: 80, base: 0 })).toBe(10);
  });

  test("may learn from what another role wrote", () => {
    const learning = { groups, replay: rest.replay, random: rest.random, role: "verifier" };
    expect(preference().compared?.(learning)).toMatchObject({ taught: 0, skipped: 0 });
    const part = preference({ of: "solver" });
    expect(part.compared?.(learning)).toMatchObject({ taught: 1, skipped: 1 });
    expect(part.description).toMatchObject({ of: "solver" });
  });

  test("says what it needs, and refuses what it cannot do", () => {
    const part = preference({ loss: { name: "simpo" }, gradientClipNorm: 0 });
    expect(part).toMatchObject({
      learnsBy: "preference",
      needs: { signedWeights: true, gradientClipping: false, freshOptimizer: true },
    });
    expect(part.references).toBeUndefined();
    expect(preference({ reference: "base" }).references).toEqual(["base"]);
    expect(preference().description).toMatchObject({
      loss: "dpo",
      beta: 0.1,
      pairs: "best-worst",
      epochs: 1,
    });
    for (const [options, message] of [
      [{ steps: 1, epochs: 1 }, /"steps" or "epochs", not both/],
      [{ loss: { name: "dpo", gamma: 1 } }, /gamma/],
      [{ pairs: "best-wurst" }, /did you mean "best-worst"/],
      [{ learning_rate: 1 }, /did you mean "learningRate"/],
      [
        { pairs: "all", lengthControl: 0.1 },
        /"lengthControl" chooses .* pairs: "all" takes others; leave it out/,
      ],
      [{ mostPairs: 10 }, /"mostPairs" limits pairs of one prompt/],
      [{ loss: { name: "simpo" }, reference: "start" }, /the loss simpo reads no reference/],
    ] as const)
      expect(() => preference(options as PreferenceOptions)).toThrow(message);
  });

  test("the loss of a batch in which responses are in several pairs has the derivative of its value", () => {
    const group = groupOf("a", [
      ["x", 1],
      ["yy", 0.5],
      ["zzz", 0],
    ]);
    const examples = group.rollouts.map(({ rollout }) => exampleOfRollout(rollout));
    const [x, y, z] = examples as [Example, Example, Example];
    const member = (example: Example, reward: number) => ({ example, reward });
    const pairs = [
      { chosen: member(x, 1), rejected: member(y, 0.5), weight: 0.5 },
      { chosen: member(x, 1), rejected: member(z, 0), weight: 1 },
      { chosen: member(y, 0.5), rejected: member(z, 0), weight: 0.5 },
    ];
    const references = new Map([
      [x, -3],
      [y, -2],
      [z, -5],
    ]);
    const loss = pairLossOf(pairLossSchema.parse({ name: "dpo", likelihood: 0.5 }));
    const derived = pairsLoss(examples, pairs, references, loss);
    expect(derivativeFault(derived, [-2.5, -4, -3.5])).toBeLessThan(derivativeTolerance);
    expect(derivativeFault(negated(derived), [-2.5, -4, -3.5])).toBeGreaterThan(1);
  });
});

describe("on a table, whose gradient is known", () => {
  const play = async (
    table: TabularPolicy,
    group: ScoredGroup,
    options: PreferenceOptions,
    steps = 1,
  ): Promise<void> => {
    await preference({ steps, batch: 1, ...options }).update({
      ...rest,
      policy: table.policy,
      models: table.models,
      groups: [group],
      from: 0,
      to: steps,
    });
  };

  test("a step of DPO moves the two answers' logits by ±½β·rate, and no other's", async () => {
    await using table = await tabularPolicy({ sgd: true });
    const before = await table.next("ab", "abcd");
    const group = await table.group("ab", [
      ["c", 1],
      ["d", 0],
    ]);
    await play(table, group, { loss: { name: "dpo", beta: 0.4 }, learningRate: 0.5 });
    const after = await table.next("ab", "abcd");
    const [a, b, c, d] = after.map((logprob, index) => logprob - (before[index] ?? 0)) as [
      number,
      number,
      number,
      number,
    ];
    const moved = (0.4 / 2) * 0.5;
    expect(c - a).toBeCloseTo(moved, 5);
    expect(d - a).toBeCloseTo(-moved, 5);
    expect(b - a).toBeCloseTo(0, 5);
  });

  test("the reference that a sampler tells is what the trainer computes for the same tokens", async () => {
    await using table = await tabularPolicy({ seed: 5 });
    const group = await table.group("ab", [
      ["cd", 1],
      ["dab", 0],
    ]);
    // With both equal the log ratios are 0, and the first loss is log 2 exactly.
    const outcome = await preference({ steps: 1, batch: 1 }).update({
      ...rest,
      policy: table.policy,
      models: table.models,
      groups: [group],
      from: 0,
      to: 1,
    });
    expect(outcome.losses[0]).toBeCloseTo(Math.log(2), 5);
  });

  test("IPO ends where the log ratios per token differ by 1/2β", async () => {
    await using table = await tabularPolicy({ sgd: true });
    const group = await table.group("ab", [
      ["c", 1],
      ["d", 0],
    ]);
    const ratios = async (): Promise<number> =>
      (await table.logprob("ab", "c")) / 2 - (await table.logprob("ab", "d")) / 2;
    const before = await ratios();
    await play(table, group, { loss: { name: "ipo", beta: 1 }, learningRate: 0.5 }, 120);
    expect((await ratios()) - before).toBeCloseTo(1 / 2, 3);
  });

  test("SPPO ends where each log ratio is η times the chance to win beyond ½", async () => {
    await using table = await tabularPolicy({ sgd: true });
    const group = await table.group("ab", [
      ["c", 0.75],
      ["d", 0.25],
    ]);
    const before = [await table.logprob("ab", "c"), await table.logprob("ab", "d")] as const;
    await play(table, group, { loss: { name: "sppo", eta: 1 }, learningRate: 0.1 }, 300);
    expect((await table.logprob("ab", "c")) - before[0]).toBeCloseTo(0.25, 2);
    expect((await table.logprob("ab", "d")) - before[1]).toBeCloseTo(-0.25, 2);
  });
});
