import { describe, expect, test } from "vitest";
import type { Datum, Loss } from "../../../foundation/contract/index.ts";
import { freshOptimizer } from "./optimizer.ts";
import { Table } from "./table.ts";
import { Trainer } from "./trainer.ts";

const vocabulary = 4;
const limits = { vocabulary, maxPositions: undefined };

/** Two sequences that share prefixes, with signed weights and ratios on both sides of the clips, none at their edge. */
const data: readonly Datum[] = [
  {
    tokens: Int32Array.of(0, 1, 2, 1),
    targets: Int32Array.of(1, 2, 1, 3),
    weights: Float32Array.of(1, -0.5, 0, 2),
    advantages: Float32Array.of(1, -2, 0.5, -1),
    logprobs: Float32Array.of(-1.1, -3.5, -1.4, -0.2),
    mask: Float32Array.of(1, 1, 0.5, 1),
  },
  {
    tokens: Int32Array.of(0, 1, 1),
    targets: Int32Array.of(1, 1, 0),
    weights: Float32Array.of(0.3, 1, -1),
    advantages: Float32Array.of(-1, 1, 2),
    logprobs: Float32Array.of(-0.3, -5, -1.2),
  },
];

function trained(suppressed: readonly number[]): { table: Table; trainer: Trainer } {
  const table = new Table({
    vocabulary,
    reach: { horizon: 3, backOff: 2 },
    seed: 1,
    deviation: 1,
    suppressed,
  });
  return { table, trainer: new Trainer({ table, limits, step: 0, optimizer: freshOptimizer() }) };
}

/** The gradient of every stored logit: what one step of plain descent takes away. */
function gradientOf(
  loss: Loss,
  suppressed: readonly number[] = [],
): { gradient: number[]; numeric: number[] } {
  const { table, trainer } = trained(suppressed);
  trainer.run(data, loss, "none", true);
  const before = Array.from(table.values.subarray(0, table.rows * vocabulary));
  trainer.optimStep({ optimizer: "sgd", learningRate: 1, weightDecay: 0 });
  const gradient = before.map((value, at) => value - (table.values[at] as number));
  table.values.set(before);
  const lossAt = (at: number, by: number): number => {
    table.values[at] = (before[at] as number) + by;
    const { lossSum } = trainer.run(data, loss, "none", false);
    table.values[at] = before[at] as number;
    return lossSum;
  };
  const by = 1e-5;
  return { gradient, numeric: before.map((_, at) => (lossAt(at, by) - lossAt(at, -by)) / (2 * by)) };
}

const distance = (a: readonly number[], b: readonly number[]): number =>
  Math.hypot(...a.map((value, at) => value - (b[at] as number)));

describe("Trainer", () => {
  test.each<Loss>([
    { name: "cross_entropy" },
    { name: "importance_sampling" },
    { name: "ppo" },
    { name: "ppo", clipLow: 0.5, clipHigh: 3 },
  ])("has the exact gradient of %o", (loss) => {
    for (const suppressed of [[], [3]]) {
      const usable = suppressed.length === 0 || loss.name !== "cross_entropy";
      const { gradient, numeric } = gradientOf(loss, usable ? suppressed : []);
      expect(distance(gradient, numeric)).toBeLessThan(1e-7);
      expect(Math.hypot(...gradient)).toBeGreaterThan(0.1);
      // The control: the gradient's opposite must not pass.
      const negated = gradient.map((value) => -value);
      expect(distance(negated, numeric)).toBeGreaterThan(0.1);
    }
  });

  test("ppo clips some of these positions, and importance_sampling none", () => {
    const [clipped, whole] = [gradientOf({ name: "ppo" }), gradientOf({ name: "importance_sampling" })];
    expect(distance(clipped.gradient, whole.gradient)).toBeGreaterThan(0.1);
  });

  test("an impossible target has an infinite loss, and impossible tokens no gradient", () => {
    const { table, trainer } = trained([3]);
    const { lossSum } = trainer.run(data, { name: "cross_entropy" }, "none", true);
    expect(lossSum).toBe(Number.POSITIVE_INFINITY);
    const before = table.values.slice();
    trainer.optimStep({ optimizer: "sgd", learningRate: 1, weightDecay: 0 });
    for (let row = 0; row < table.rows; row++) {
      const at = row * vocabulary + 3;
      expect(table.values[at]).toBe(before[at]);
    }
    expect(table.values).not.toEqual(before);
  });

  test("a gradient that is not finite is cleared, and no step is taken", () => {
    const { table, trainer } = trained([]);
    const infinite = data.map((datum) => ({
      ...datum,
      weights: datum.tokens.length === 3 ? Float32Array.of(1, 1, Number.NaN) : datum.weights,
    }));
    trainer.run(infinite as Datum[], { name: "cross_entropy" }, "none", true);
    const before = table.values.slice();
    expect(() => trainer.optimStep({ learningRate: 1 })).toThrow(
      expect.objectContaining({ code: "non-finite-gradient", category: "engine" }),
    );
    expect(trainer.step).toBe(0);
    expect(table.values).toEqual(before);
    expect(trainer.optimStep({ learningRate: 1, weightDecay: 0 })).toEqual({ step: 1, gradientNorm: 0 });
    expect(table.values).toEqual(before);
  });

  test("stores rows only where a position counts, and reading stores none", () => {
    const { table, trainer } = trained([]);
    trainer.run(data, { name: "cross_entropy" }, "all", false);
    expect(table.rows).toBe(0);
    const [first] = data as [Datum, Datum];
    trainer.run([{ ...first, weights: Float32Array.of(0, 1, 0, 0) }], { name: "cross_entropy" }, "all", true);
    expect(table.rows).toBe(1);
  });
});
