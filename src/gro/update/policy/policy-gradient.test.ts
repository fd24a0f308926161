import { describe, expect, test } from "vitest";
import { randomStream } from "../../../foundation/base/index.ts";
import type { ScoredGroup } from "../../../foundation/contract/index.ts";
import { reverse } from "../../../world/task/index.ts";
import {
  FakeModel,
  groupOf,
  itemOf,
  letters,
  noModels,
  policyOf,
  rolloutOf,
  samplingOf,
} from "../../rollout/testing/fakes.ts";
import { policyGradient } from "./policy-gradient.ts";
import type { PolicyGradientOptions } from "./policy-options.ts";

const update = async (
  groups: readonly ScoredGroup[],
  options: PolicyGradientOptions = {},
  role = "solver",
) => {
  const model = new FakeModel();
  const outcome = await policyGradient(options).update({
    policy: policyOf(model, role),
    groups,
    replay: { base: [], older: [] },
    task: reverse(),
    models: noModels,
    random: randomStream(0, "update"),
    from: 0,
    to: 1,
  });
  return { model, outcome, batch: model.trained[0] };
};

describe("policyGradient", () => {
  test("advantages, logprobs and mask stand where the response is predicted", async () => {
    const item = itemOf("ab");
    const attempt = (text: string, logprobs: number[], reward: number) => ({
      rollout: rolloutOf(item, text, { logprobs }),
      reward,
      parts: {},
    });
    const { batch, outcome, model } = await update([
      { item, rollouts: [attempt("ba", [-0.1, -0.2, -0.3], 1), attempt("b", [-0.4, -0.5], 0)] },
    ]);
    expect(batch?.options).toEqual({ loss: { name: "importance_sampling" }, logprobs: "none" });
    const fifth = Math.fround(1 / 5);
    const [right, wrong] = batch?.data ?? [];
    // Context 1 a b, response b a 2: positions 2, 3 and 4 predict the response.
    expect(right).toEqual({
      tokens: Int32Array.of(1, 97, 98, 98, 97),
      targets: Int32Array.of(97, 98, 98, 97, 2),
      advantages: Float32Array.of(0, 0, fifth, fifth, fifth),
      logprobs: Float32Array.of(0, 0, -0.1, -0.2, -0.3),
      mask: Float32Array.of(0, 0, 1, 1, 1),
    });
    expect(wrong).toEqual({
      tokens: Int32Array.of(1, 97, 98, 98),
      targets: Int32Array.of(97, 98, 98, 2),
      advantages: Float32Array.of(0, 0, -fifth, -fifth),
      logprobs: Float32Array.of(0, 0, -0.4, -0.5),
      mask: Float32Array.of(0, 0, 1, 1),
    });
    expect(outcome).toMatchObject({ tokensTrained: 5, realTokens: 0, losses: [0.01] });
    expect([...outcome.uses].map(([{ answer, writer }, times]) => [answer, writer?.rollout, times])).toEqual([
      ["ba", 0, 1],
      ["b", 1, 1],
    ]);
    expect(model.steps).toMatchObject([{ learningRate: 3e-4, gradientClipNorm: 1 }]);
  });

  test("every token weighs the same, over all groups; one whose rewards are equal counts and is not computed", async () => {
    const { batch, outcome } = await update([
      groupOf("a", [
        ["x", 1],
        ["yyyyy", 0],
      ]),
      groupOf("b", [
        ["zzz", 1],
        ["zz", 1],
      ]),
      groupOf("c", [
        ["x", 0.5],
        ["yy", 0.5],
        ["z", 0.25],
        ["w", 0.75],
      ]),
    ]);
    const trained = 2 + 6 + (2 + 3 + 2 + 2);
    expect(outcome.tokensTrained).toBe(trained);
    const tokens = trained + 4 + 3;
    expect(batch?.data).toHaveLength(6);
    const sizes = batch?.data.map(({ advantages }) => Math.abs(advantages?.at(-1) ?? Number.NaN)) ?? [];
    expect(sizes.slice(0, 2)).toEqual([Math.fround(1 / tokens), Math.fround(1 / tokens)]);
    // Rewards .5 .5 .25 .75: centred 0 0 −¼ ¼, deviation √(1/32).
    const great = Math.fround(0.25 / Math.sqrt(1 / 32) / tokens);
    expect(sizes.slice(2)).toEqual([0, 0, great, great]);
  });

  test("each role learns from its own attempts, and void ones count for nothing", async () => {
    const item = itemOf("ab");
    const attempt = (role: string, text: string, reward: number | null) => ({
      rollout: rolloutOf(item, text, { role }),
      reward,
      parts: {},
    });
    const group: ScoredGroup = {
      item,
      rollouts: [
        attempt("solver", "s", 1),
        attempt("solver", "t", null),
        attempt("solver", "u", 0),
        attempt("peer", "v", 1),
        attempt("peer", "w", null),
      ],
    };
    const { batch } = await update([group]);
    expect(batch?.data.map(({ targets }) => String.fromCharCode(targets.at(-2) ?? 0))).toEqual(["s", "u"]);
    expect((await update([group], {}, "peer")).model.log).toEqual([]);
  });

  test("makes no step where no group teaches anything", async () => {
    const { model, outcome } = await update([
      groupOf("a", [
        ["x", 1],
        ["y", 1],
      ]),
      groupOf("b", [["x", 0]]),
    ]);
    expect(model.log).toEqual([]);
    expect(outcome.tokensTrained).toBe(0);
  });

  test("ppo gets its bounds; no other loss takes them", async () => {
    const groups = [
      groupOf("a", [
        ["x", 1],
        ["y", 0],
      ]),
    ];
    const clipped = await update(groups, { loss: "ppo", clipHigh: 1.28 });
    expect(clipped.batch?.options.loss).toEqual({ name: "ppo", clipLow: 0.8, clipHigh: 1.28 });
    expect(policyGradient({ loss: "ppo" }).description).toMatchObject({
      loss: "ppo",
      clipLow: 0.8,
      clipHigh: 1.2,
    });
    expect(policyGradient().description).not.toHaveProperty("clipLow");
    expect(() => policyGradient({ clipHigh: 1.28 })).toThrow(
      /"clipHigh": only the losses ppo, gspo, cispo clip the ratio/,
    );
    expect(() => policyGradient({ loss: "ppo", clipLow: 1.5 })).toThrow(/"clipLow"/);
  });

  const tilted = (prompt: string): ScoredGroup =>
    groupOf(prompt, [
      ["x", 1],
      ["y", 0],
    ]);

  test("counts what teaches nothing: equal rewards, voids, one attempt alone", async () => {
    const item = itemOf("v");
    const attempt = (text: string, reward: number | null) => ({
      rollout: rolloutOf(item, text),
      reward,
      parts: {},
    });
    const groups = [
      tilted("a"),
      groupOf("b", [
        ["x", 1],
        ["y", 1],
      ]),
      { item, rollouts: [attempt("x", 1), attempt("y", null)] },
      { item: itemOf("w"), rollouts: [] },
    ];
    const learning = {
      groups,
      replay: { base: [], older: [] },
      random: randomStream(0, "x"),
      role: "solver",
    };
    expect(policyGradient().compared?.(learning)).toEqual({ taught: 1, skipped: 2 });
    expect(policyGradient({ advantages: "batch" }).compared?.(learning)).toEqual({ taught: 3, skipped: 0 });
    expect(policyGradient().compared?.({ ...learning, role: "peer" })).toEqual({ taught: 0, skipped: 0 });
  });

  test("a KL in the reward makes equal rewards differ: of one attempt an item too, but where a group is compared", () => {
    const groups = [groupOf("a", [["x", 1]]), groupOf("b", [["x", 1]])];
    const learning = {
      groups,
      replay: { base: [], older: [] },
      random: randomStream(0, "x"),
      role: "solver",
    };
    const kl = { in: "reward" } as const;
    const counted = (options: PolicyGradientOptions) => policyGradient(options).compared?.(learning);
    expect(counted({ advantages: "batch", kl })).toEqual({ taught: 2, skipped: 0 });
    expect(counted({ advantages: "batch" })).toEqual({ taught: 0, skipped: 2 });
    expect(counted({ advantages: "leave-one-out", kl })).toEqual({ taught: 0, skipped: 2 });
  });

  test.each([
    [-0.5, { taught: 0, skipped: 2 }],
    [-0.25, { taught: 2, skipped: 0 }],
  ])("once the KL is measured, what it teaches is counted: logprobs of %d", async (logprob, compared) => {
    const of = (prompt: string, text: string) => ({
      item: itemOf(prompt),
      rollouts: [{ rollout: rolloutOf(itemOf(prompt), { text, logprob }), reward: 1, parts: {} }],
    });
    const model = new FakeModel();
    const outcome = await policyGradient({ advantages: "batch", kl: { in: "reward" } }).update({
      policy: policyOf(model),
      groups: [of("a", "x"), of("b", "yyy")],
      replay: { base: [], older: [] },
      task: reverse(),
      // To the reference every token has -.5.
      models: { reference: async (role) => ({ ...samplingOf(() => ""), role }) },
      random: randomStream(0, "update"),
      from: 0,
      to: 1,
    });
    expect(outcome.compared).toEqual(compared);
    expect(model.trained).toHaveLength(compared.taught === 0 ? 0 : 1);
  });

  test("rollouts that are older than may be are left out, and those whose age cannot be known", async () => {
    const item = itemOf("ab");
    const of = (weightVersion: string, reward: number) => ({
      rollout: { ...rolloutOf(item, "x"), weightVersion },
      reward,
      parts: {},
    });
    // The fake's weights have taken no step.
    const group = {
      item,
      rollouts: [of("model@0", 1), of("other@0", 0), of("/a/path", 1), of("model@7", 1)],
    };
    const { outcome, batch } = await update([group], { maxStaleness: 2 });
    expect(outcome.stale).toBe(2);
    expect(batch?.data).toHaveLength(2);
    const whole = await update([group]);
    expect(whole.outcome.stale).toBe(0);
    expect(whole.model.log).not.toContain("snapshot");
  });

  test("of each group the first so many are trained", async () => {
    const group = groupOf("a", [
      ["x", 1],
      ["y", 0],
      ["z", 0],
      ["w", 0],
    ]);
    const { batch } = await update([group], { trained: 2 });
    expect(batch?.data.map(({ advantages }) => Math.sign(advantages?.at(-1) ?? 0))).toEqual([1, -1]);
    expect(() => policyGradient({ trained: 1 })).toThrow(/advantages of a group need at least 2/);
  });

  test("each iteration goes through all minibatches in an order of its own, each response once", async () => {
    const groups = Array.from({ length: 6 }, (_, index) => tilted(String.fromCharCode(97 + index)));
    const model = new FakeModel();
    const part = policyGradient({ iterations: 2, minibatches: 3 });
    expect(part.steps({ newest: 0, base: 0 })).toBe(6);
    const outcome = await part.update({
      policy: policyOf(model),
      groups,
      replay: { base: [], older: [] },
      task: reverse(),
      models: noModels,
      random: randomStream(0, "update"),
      from: 0,
      to: 6,
    });
    const said = model.trained.map(({ data }) =>
      data.map(({ tokens, targets }) => letters.decode(Int32Array.of(...tokens, targets.at(-2) ?? 0))),
    );
    expect(said.map(({ length }) => length)).toEqual([4, 4, 4, 4, 4, 4]);
    const [first, second] = [said.slice(0, 3).flat(), said.slice(3).flat()];
    expect([...first].sort()).toEqual([...second].sort());
    expect(new Set(first).size).toBe(12);
    expect(first).not.toEqual(second);
    expect([...outcome.uses.values()]).toEqual(new Array(12).fill(2));
  });

  test("a KL in the reward is taken off before rewards are compared", async () => {
    const item = itemOf("a");
    const attempt = (text: string, logprob: number, reward: number) => ({
      rollout: rolloutOf(item, { text, logprob }),
      reward,
      parts: {},
    });
    const groups = [{ item, rollouts: [attempt("x", -0.25, 1), attempt("yyy", -0.75, 0)] }];
    const model = new FakeModel();
    const asked: string[] = [];
    const { compared } = await policyGradient({
      advantages: "leave-one-out",
      kl: { in: "reward", coefficient: 0.1, reference: "start" },
    }).update({
      policy: policyOf(model),
      groups,
      replay: { base: [], older: [] },
      task: reverse(),
      // To the reference every token has -.5.
      models: {
        reference: async (role, which) => {
          asked.push(`${role} ${which}`);
          return { ...samplingOf(() => ""), role };
        },
      },
      random: randomStream(0, "update"),
      from: 0,
      to: 1,
    });
    expect(asked).toEqual(["solver start"]);
    expect(compared).toEqual({ taught: 1, skipped: 0 });
    // Two tokens of .25 nats more than the reference's, four of .25 less.
    const [first, second] = [1 - 0.1 * 0.5, 0 + 0.1 * 1];
    const [one, other] = model.trained[0]?.data ?? [];
    expect(one?.advantages?.at(-1)).toBeCloseTo((first - second) / 6, 6);
    expect(other?.advantages?.at(-1)).toBeCloseTo((second - first) / 6, 6);
    expect(model.trained[0]?.options.loss).toEqual({ name: "importance_sampling" });
  });

  test("a KL in the loss needs signed weights, one in the reward does not; both say whose weights they read", () => {
    expect(policyGradient({ kl: {} })).toMatchObject({
      needs: { losses: [], signedWeights: true },
      references: ["base"],
      description: { kl: 0.04, klIn: "loss", klReference: "base" },
    });
    const inReward = policyGradient({ kl: { in: "reward", reference: "start" } });
    expect(inReward).toMatchObject({ needs: { losses: ["importance_sampling"] }, references: ["start"] });
    expect(inReward.needs).not.toHaveProperty("signedWeights");
    expect(policyGradient().description).not.toHaveProperty("kl");
  });

  test.each<readonly [object, RegExp]>([
    [{ loss: "PPO" }, /did you mean "ppo"/],
    [{ beta: 0.1 }, /"beta": only loss: "dro" has it/],
    [{ length: 9 }, /"length": only average: "constant" has it/],
    [{ advantages: "batch", divideByDeviation: false }, /"divideByDeviation": only advantages: "group"/],
    [{ advantages: "none", epsilon: 1 }, /"epsilon": only advantages: "group" and "batch"/],
    [{ divideByDeviation: false, epsilon: 1e-6 }, /"epsilon": divideByDeviation: false divides by no/],
    [{ divideByDeviation: false, sampleDeviation: true }, /"sampleDeviation": divideByDeviation: false/],
    [{ kl: { in: "rewards" } }, /did you mean "reward"/],
    [{ maxStalenes: 1 }, /did you mean "maxStaleness"/],
    [{ advantages: "none", byKind: true }, /"byKind".*compare nothing/],
  ])("refuses %o", (options, message) => {
    expect(() => policyGradient(options)).toThrow(message);
  });
});
