import { describe, expect, test } from "vitest";
import { randomStream } from "../../../foundation/base/index.ts";
import { type PolicyLoss, type PolicySequence, policyLoss } from "./policy-loss.ts";

const losses: readonly PolicyLoss[] = [
  { name: "importance_sampling" },
  { name: "ppo", clipLow: 0.8, clipHigh: 1.28 },
  { name: "gspo", clipLow: 0.9, clipHigh: 1.1 },
  { name: "cispo", clipHigh: 1.5 },
  { name: "dro", beta: 0.3 },
];
const length = 40;
const step = 1e-5;

/** Responses with logprobs, references and advantages of chance; none whose ratio lies at a bound. */
function drawn(seed: number, penalty: number): { sequence: PolicySequence; logprobs: Float64Array } {
  const random = randomStream(seed, "policy-loss");
  const numbers = (low: number, high: number): Float64Array =>
    Float64Array.from({ length }, () => low + (high - low) * random.uniform());
  const behaviour = numbers(-3, -0.1);
  const away = numbers(-0.6, 0.6).map((one) => {
    const ratio = Math.exp(one);
    return [0.8, 1.28, 1.5].some((bound) => Math.abs(ratio - bound) < 1e-3) ? 0 : one;
  });
  return {
    sequence: { behaviour, advantages: numbers(-2, 2), reference: numbers(-3, -0.1), penalty },
    logprobs: behaviour.map((one, at) => one + (away[at] ?? 0)),
  };
}

/** The largest relative difference between derivatives and central differences, what carries no gradient held still. */
function farthest(loss: PolicyLoss, seed: number, penalty: number, sign: number): number {
  const { sequence, logprobs } = drawn(seed, penalty);
  const { slopes } = policyLoss(loss, sequence, logprobs);
  const size = Math.max(...slopes.map(Math.abs));
  return Math.max(
    ...logprobs.map((_, at) => {
      const shifted = (by: number): number =>
        policyLoss(
          loss,
          sequence,
          logprobs.map((one, place) => (place === at ? one + by : one)),
          logprobs,
        ).loss;
      const measured = (shifted(step) - shifted(-step)) / (2 * step);
      return Math.abs(measured - sign * (slopes[at] ?? Number.NaN)) / size;
    }),
  );
}

describe.each(losses)("$name", (loss) => {
  test.each([0, 0.7])(
    "its derivative is what central differences measure, with a KL that weighs %d",
    (penalty) => {
      for (const seed of [1, 2, 3]) expect(farthest(loss, seed, penalty, 1)).toBeLessThan(1e-4);
    },
  );

  test("the derivative of the opposite sign is not", () => {
    expect(farthest(loss, 1, 0.7, -1)).toBeGreaterThan(1);
  });
});

test("clips on the side that would gain", () => {
  const at = (ratio: number, advantage: number): number =>
    policyLoss({ name: "ppo" }, { behaviour: [-1], advantages: [advantage] }, [-1 + Math.log(ratio)])
      .slopes[0] ?? 0;
  expect(at(1.5, 1)).toBeCloseTo(0);
  expect(at(1.5, -1)).toBeCloseTo(1.5);
  expect(at(0.5, -1)).toBeCloseTo(0);
  expect(at(0.5, 1)).toBeCloseTo(-0.5);
});

test("a KL of nothing weighs nothing, and one from itself is 0", () => {
  const sequence = { behaviour: [-1], advantages: [0], reference: [-2] };
  const none = policyLoss({ name: "ppo" }, sequence, [-1]);
  expect([none.loss, none.slopes[0] ?? Number.NaN].map(Math.abs)).toEqual([0, 0]);
  const near = policyLoss({ name: "ppo" }, { ...sequence, reference: [-1], penalty: 1 }, [-1]);
  expect(near.loss).toBeCloseTo(0, 12);
  const far = policyLoss({ name: "ppo" }, { ...sequence, penalty: 1 }, [-1]);
  expect(far.loss).toBeCloseTo(Math.exp(-1), 12);
  expect(far.slopes[0]).toBeCloseTo(1 - Math.exp(-1), 12);
});
