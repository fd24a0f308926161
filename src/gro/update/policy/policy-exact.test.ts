import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exampleOfRollout } from "../../rollout/index.ts";
import { applied, attempts, Bandits, logitsOf } from "../testing/bandit.ts";
import { policyBatch } from "./policy-batch.ts";
import { policyGradient } from "./policy-gradient.ts";
import type { PolicyLoss } from "./policy-loss.ts";
import type { PolicyGradientOptions } from "./policy-options.ts";

let bandits: Bandits;
let noisy: Bandits;
beforeAll(async () => {
  bandits = await Bandits.open();
  noisy = await Bandits.open(1);
});
afterAll(async () => {
  await bandits[Symbol.asyncDispose]();
  await noisy[Symbol.asyncDispose]();
});

const rate = 0.5;
const uniform = 1 / 128;

/**
 * What plain descent makes of the logits of single letters after one prompt, in closed form: at the uniform policy a letter's logit
 * rises by rate · Σ of its attempts' weighted advantages, and all sink by rate · p · Σ of all, which is the same for every letter.
 */
async function moved(options: PolicyGradientOptions, rewards: readonly number[]): Promise<number[]> {
  await using model = await bandits.model();
  const texts = rewards.map((_, index) => String.fromCharCode(97 + index));
  await applied(policyGradient({ learningRate: rate, gradientClipNorm: 0, ...options }), model, [
    attempts(
      "p",
      texts.map((text, index) => [text, rewards[index] as number] as const),
    ),
  ]);
  await using sampler = await model.snapshot();
  return (await logitsOf(sampler, "p", texts)).map(([first]) => first as number);
}

const rewards = [1, 0, 0.5, 0];
const mean = 0.375;
const deviation = Math.sqrt((0.625 ** 2 + 2 * 0.375 ** 2 + 0.125 ** 2) / 4);

describe("one step from the uniform policy, by the closed form", () => {
  test.each<readonly [string, PolicyGradientOptions, readonly number[]]>([
    ["REINFORCE", { advantages: "none" }, rewards],
    ["REINFORCE with the batch's mean", { advantages: "batch-mean" }, rewards.map((one) => one - mean)],
    ["RLOO", { advantages: "leave-one-out" }, rewards.map((one) => (one - mean) * (4 / 3))],
    ["GRPO", { average: "responses" }, rewards.map((one) => (one - mean) / deviation)],
    [
      "Dr. GRPO",
      { divideByDeviation: false, average: "constant", length: 1 },
      rewards.map((one) => one - mean),
    ],
    ["REINFORCE++", { advantages: "batch" }, rewards.map((one) => (one - mean) / deviation)],
    ["GSPO", { loss: "gspo", average: "responses" }, rewards.map((one) => (one - mean) / deviation)],
    ["CISPO", { loss: "cispo" }, rewards.map((one) => (one - mean) / deviation)],
    ["DRO", { loss: "dro" }, rewards.map((one) => (one - mean) / deviation)],
    ["a KL from where it stands", { kl: { coefficient: 1 } }, rewards.map((one) => (one - mean) / deviation)],
  ])("%s", async (_, options, advantages) => {
    for (const [index, logit] of (await moved(options, rewards)).entries())
      expect(logit).toBeCloseTo((rate * (advantages[index] as number)) / 4, 5);
  });

  test("and the opposite direction it is not", async () => {
    const [first] = await moved({}, rewards);
    expect(Math.abs((first ?? 0) + (rate * (1 - mean)) / deviation / 4)).toBeGreaterThan(0.1);
  });
});

test("responses of different lengths: what weighs the same is what is averaged", async () => {
  const groups = [
    attempts("p", [
      ["ab", 1],
      ["c", 0],
    ]),
  ];
  const sizes = async (options: PolicyGradientOptions): Promise<number[]> => {
    await using model = await bandits.model();
    await applied(policyGradient({ learningRate: 1, gradientClipNorm: 0, ...options }), model, groups);
    await using sampler = await model.snapshot();
    return (await logitsOf(sampler, "p", ["ab", "c"])).flat();
  };
  const close = (found: readonly number[], wanted: readonly number[]): void => {
    for (const [index, one] of found.entries()) expect(one).toBeCloseTo(wanted[index] as number, 5);
  };
  // Advantages ±1.
  close(await sizes({ average: "tokens" }), [1 / 3, 1 / 3, -1 / 3]);
  close(await sizes({ average: "responses" }), [1 / 4, 1 / 4, -1 / 2]);
  close(await sizes({ average: "constant", length: 4 }), [1 / 8, 1 / 8, -1 / 8]);
});

describe("a group whose rewards are equal is not computed, and stands in what the sum is divided by", () => {
  const differing = attempts("p", [
    ["ab", 1],
    ["c", 0],
  ]);
  const equal = attempts("q", [
    ["abc", 1],
    ["de", 1],
  ]);
  // Advantages ±1; 3 tokens of 8, and 2 responses of 4.
  test.each<readonly [PolicyGradientOptions, readonly number[]]>([
    [{ average: "tokens" }, [1 / 8, 1 / 8, -1 / 8]],
    [{ average: "responses" }, [1 / 8, 1 / 8, -1 / 4]],
    [{ average: "constant", length: 4 }, [1 / 16, 1 / 16, -1 / 16]],
    [{ advantages: "leave-one-out" }, [1 / 8, 1 / 8, -1 / 8]],
  ])("%o", async (options, wanted) => {
    await using model = await bandits.model();
    const update = policyGradient({ learningRate: 1, gradientClipNorm: 0, ...options });
    const { tokensTrained } = await applied(update, model, [differing, equal]);
    expect(tokensTrained).toBe(3);
    await using sampler = await model.snapshot();
    const found = (await logitsOf(sampler, "p", ["ab", "c"])).flat();
    for (const [index, one] of found.entries()) expect(one).toBeCloseTo(wanted[index] as number, 5);
    for (const logit of (await logitsOf(sampler, "q", ["abc", "de"])).flat()) expect(logit).toBeCloseTo(0, 6);
  });

  test("a minibatch is divided by its own responses, whatever they teach", async () => {
    const all = Array.from({ length: 2 }, (_, at) => [
      attempts(`p${at}`, [["a", 1] as const, ["b", 0] as const]),
      attempts(`q${at}`, [["a", 1] as const, ["b", 1] as const]),
    ]).flat();
    await using model = await bandits.model();
    const update = policyGradient({ learningRate: 1, gradientClipNorm: 0, minibatches: 2 });
    await applied(update, model, all);
    await using sampler = await model.snapshot();
    const [[up] = [], [down] = []] = await logitsOf(sampler, "p0", ["a", "b"]);
    // Four responses a minibatch, however many of them teach; the second step's ratio has hardly moved.
    expect(up).toBeCloseTo(1 / 4, 1);
    expect(down).toBeCloseTo(-1 / 4, 1);
  });
});

/** d(gain)/d(logprob) of an attempt whose chance is so many times what it was when it was sampled. */
type Slope = (ratio: number, advantage: number) => number;

const bounded =
  (low: number, high: number, kl = 0): Slope =>
  (ratio, advantage) => {
    const clipped = Math.min(Math.max(ratio, low), high) * advantage < ratio * advantage;
    return (clipped ? 0 : ratio * advantage) + kl * (1 / ratio - 1);
  };
const held =
  (beta: number): Slope =>
  (ratio, advantage) =>
    advantage - beta * Math.log(ratio);

/** Plain descent on a bandit with an attempt an arm, a step an iteration, in doubles. */
function simulated(advantages: readonly number[], steps: number, slopeOf: Slope): number[] {
  const logits = new Array<number>(128).fill(0);
  for (let step = 0; step < steps; step++) {
    const whole = logits.reduce((sum, one) => sum + Math.exp(one), 0);
    const chances = logits.map((one) => Math.exp(one) / whole);
    const slopes = new Array<number>(128).fill(0);
    for (const [arm, advantage] of advantages.entries()) {
      const slope = slopeOf((chances[arm] as number) / uniform, advantage);
      for (let other = 0; other < 128; other++)
        slopes[other] =
          (slopes[other] as number) +
          (slope / advantages.length) * ((other === arm ? 1 : 0) - (chances[other] as number));
    }
    for (let arm = 0; arm < 128; arm++)
      logits[arm] = (logits[arm] as number) + rate * (slopes[arm] as number);
  }
  return advantages.map((_, arm) => (logits[arm] as number) - (logits[127] as number));
}

test("one step with a baseline for each kind of item, by the closed form (TRR++)", async () => {
  // Two attempts at each of two items of a kind, and two at one of another: a bandit a prompt.
  const kinds = { p: "deduction", q: "deduction", r: "abduction" } as const;
  const given = { p: [1, 0], q: [0, 0], r: [0.5, 0.25] } as const;
  const groups = Object.entries(given).map(([prompt, rewards]) => {
    const group = attempts(prompt, [
      ["a", rewards[0]],
      ["b", rewards[1]],
    ]);
    return { ...group, item: { ...group.item, stratum: kinds[prompt as keyof typeof kinds] } };
  });
  const taught = async (byKind: boolean): Promise<number[]> => {
    await using model = await bandits.model();
    const update = policyGradient({ learningRate: rate, gradientClipNorm: 0, advantages: "batch", byKind });
    await applied(update, model, groups);
    await using sampler = await model.snapshot();
    const logits = await Promise.all(
      Object.keys(given).map((prompt) => logitsOf(sampler, prompt, ["a", "b"])),
    );
    return logits.flat(2);
  };
  const spread = Math.sqrt(3) / 4;
  const advantages = [0.75 / spread, -0.25 / spread, -0.25 / spread, -0.25 / spread, 1, -1];
  const found = await taught(true);
  for (const [index, advantage] of advantages.entries())
    expect(found[index]).toBeCloseTo((rate * advantage) / 6, 5);
  expect((await taught(false))[4]).not.toBeCloseTo(rate / 6, 2);
});

describe("several steps on one batch: the ratio is to the policy that sampled", () => {
  const normalised = rewards.map((one) => (one - mean) / deviation);
  const unbounded = bounded(0, Number.POSITIVE_INFINITY);
  test.each<readonly [string, PolicyGradientOptions, wanted: Slope, other: Slope]>([
    ["without bounds", {}, unbounded, bounded(0.8, 1.2)],
    ["within bounds", { loss: "ppo" }, bounded(0.8, 1.2), unbounded],
    ["within bounds of DAPO's", { loss: "ppo", clipHigh: 1.28 }, bounded(0.8, 1.28), unbounded],
    [
      "within bounds, and near the start",
      { loss: "ppo", kl: { coefficient: 0.3, reference: "start" } },
      bounded(0.8, 1.2, 0.3),
      bounded(0, Number.POSITIVE_INFINITY, 0.3),
    ],
    ["held to the sampler (DRO)", { loss: "dro", beta: 2 }, held(2), held(8)],
    ["held by derivatives", { loss: "dro", beta: 2, average: "responses" }, held(2), held(8)],
  ])("%s", async (_, options, wanted, other) => {
    const found = await moved({ ...options, iterations: 4 }, rewards);
    for (const [index, one] of simulated(normalised, 4, wanted).entries())
      expect(found[index]).toBeCloseTo(one, 4);
    const [first = 0] = simulated(normalised, 4, other);
    expect(Math.abs((found[0] as number) - first)).toBeGreaterThan(0.01);
  });
});

test.each<PolicyLoss>([
  { name: "importance_sampling" },
  { name: "ppo", clipLow: 0.8, clipHigh: 1.2 },
  { name: "gspo", clipLow: 0.9, clipHigh: 1.1 },
  { name: "cispo", clipLow: 0, clipHigh: 1.1 },
  { name: "dro", beta: 0.5 },
])("$name by its name and by its derivatives are one gradient", async (loss) => {
  const { rollouts } = attempts("pq", [
    ["abc", 1],
    ["bd", 0],
    ["abd", 0.3],
  ]);
  const responses = rollouts.map(({ rollout }, index) => ({
    example: exampleOfRollout(rollout),
    // Ratios on both sides of the bounds: the table's chances are far from uniform.
    behaviour: Float32Array.from(
      { length: rollout.response.text.length },
      (_, at) => -4.5 - 0.4 * ((index + at) % 4),
    ),
    advantages: new Float64Array(rollout.response.text.length).fill([1.3, -0.8, 0.4][index] as number),
  }));
  const logits = async (universal: boolean, sign = 1): Promise<number[]> => {
    await using model = await noisy.model(3);
    const batch = policyBatch(
      responses.map((one) => ({ ...one, advantages: one.advantages.map((value) => value * sign) })),
      { loss, average: "tokens", length: 1, klInLoss: 0, universal },
    );
    if (batch === undefined) throw new Error("nothing to learn from");
    if (typeof batch.loss === "function") {
      const weights = batch.data.map(({ tokens }) => new Float32Array(tokens.length).fill(1));
      const bare = batch.data.map(({ tokens, targets }, index) => ({
        tokens,
        targets,
        weights: weights[index] as Float32Array,
      }));
      const crossEntropy = { loss: { name: "cross_entropy" } } as const;
      const { logprobs } = await model.forward(bare, { ...crossEntropy, logprobs: "all" });
      const { gradients } = batch.loss(logprobs);
      const signed = bare.map((datum, index) => ({
        ...datum,
        weights: (gradients[index] as Float32Array).map((slope) => -slope),
      }));
      await model.forwardBackward(signed, crossEntropy);
    } else await model.forwardBackward(batch.data, { loss: batch.loss });
    await model.optimStep({ optimizer: "sgd", learningRate: 1, weightDecay: 0 });
    await using sampler = await model.snapshot();
    return (await logitsOf(sampler, "pq", ["abc", "bd", "abd"])).flat();
  };
  const named = await logits(false);
  for (const [index, one] of (await logits(true)).entries())
    expect(one).toBeCloseTo(named[index] as number, 5);
  const negated = await logits(true, -1);
  expect(Math.max(...negated.map((one, index) => Math.abs(one - (named[index] as number))))).toBeGreaterThan(
    0.05,
  );
});
