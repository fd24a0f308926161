import { expect, test } from "vitest";
import type { Datum, Loss } from "../../foundation/contract/index.ts";
import { asWeights, derivativesOf, lossOf } from "./reference-loss.ts";

const logprobs = [-1, -2, -0.5];
const datum: Datum = {
  tokens: Int32Array.of(0, 1, 2),
  targets: Int32Array.of(1, 2, 0),
  weights: Float32Array.of(1, -2, 0),
  advantages: Float32Array.of(1, -1, 2),
  logprobs: Float32Array.of(-1.5, -1.5, -0.5),
  mask: Float32Array.of(1, 0.5, 0),
};
const [up, down] = [Math.exp(0.5), Math.exp(-0.5)];

// By hand, from the formulas of the contract.
test.each<readonly [Loss, number, readonly number[]]>([
  [{ name: "cross_entropy" }, -3, [-1, 2, 0]],
  [{ name: "importance_sampling" }, -up + 0.5 * down, [-up, 0.5 * down, 0]],
  [{ name: "ppo" }, -1.2 + 0.5 * 0.8, [0, 0, 0]],
  [{ name: "ppo", clipHigh: 2 }, -up + 0.5 * 0.8, [-up, 0, 0]],
  [{ name: "cispo", clipHigh: 1.5 }, 1.5 - 0.5 * down * 2, [-1.5, 0.5 * down, 0]],
  [{ name: "dro", beta: 2 }, 1 + 0.25 - 0.5 * 2 + 0.5 * 0.25, [0, 0.5 * (1 - 1), 0]],
  [
    { name: "gspo", clipHigh: 2 },
    -Math.exp(0.25 / 1.5) + 0.5 * Math.exp(0.25 / 1.5),
    [-Math.exp(0.25 / 1.5), 0.5 * Math.exp(0.25 / 1.5), 0],
  ],
])("%j has the loss and the derivatives of its formula", (loss, value, derivatives) => {
  expect(lossOf(loss, datum, logprobs)).toBeCloseTo(value, 6);
  const found = derivativesOf(loss, datum, logprobs);
  for (const [at, derivative] of derivatives.entries()) expect(found[at]).toBeCloseTo(derivative, 6);
  const { weights } = asWeights(loss, datum, logprobs);
  expect(Array.from(weights ?? [], (weight) => weight + 0)).toEqual(
    found.map((derivative) => Math.fround(-derivative) + 0),
  );
});

test("bounds of a position take the place of the loss's", () => {
  const own = { ...datum, clipLow: Float32Array.of(0, 0, 0), clipHigh: Float32Array.of(2, 2, 2) };
  expect(derivativesOf({ name: "ppo" }, own, logprobs)[0]).toBeCloseTo(-up, 6);
});
