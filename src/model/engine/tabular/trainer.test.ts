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

/** No target that counts is ruled out. */
const possible = (suppressed: readonly number[]): Datum[] =>
  data.map((datum) => {
    const counts = (one: number, at: number) => (suppressed.includes(datum.targets[at] as number) ? 0 : one);
    const { weights = new Float32Array(), mask = new Float32Array(datum.tokens.length).fill(1) } = datum;
    return { ...datum, weights: weights.map(counts), mask: mask.map(counts) };
  });

/** The gradient of every stored logit: what one step of plain descent takes away. */
function gradientOf(
  loss: Loss,
  { suppressed = [], given = data }: { suppressed?: readonly number[]; given?: readonly Datum[] } = {},
): { gradient: number[]; numeric: number[] } {
  const { table, trainer } = trained(suppressed);
  trainer.run(given, loss, "none", true);
  const before = Array.from(table.values.subarray(0, table.rows * vocabulary));
  trainer.optimStep({ optimizer: "sgd", learningRate: 1, weightDecay: 0 });
  const gradient = before.map((value, at) => value - (table.values[at] as number));
  table.values.set(before);
  const lossAt = (at: number, by: number): number => {
    table.values[at] = (before[at] as number) + by;
    const { lossSum } = trainer.run(given, loss, "none", false);
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
    { name: "dro" },
    { name: "dro", beta: 1.5 },
  ])("has the exact gradient of %o", (loss) => {
    for (const suppressed of [[], [2]]) {
      const { gradient, numeric } = gradientOf(loss, { suppressed, given: possible(suppressed) });
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

  test.each(["ppo", "gspo"] as const)("%s clips a ratio beyond all numbers like any other", (name) => {
    const datum = data[1] as Datum;
    const far = { ...datum, logprobs: new Float32Array(3).fill(-1e4) };
    const lossOf = (advantages: Float32Array) =>
      trained([]).trainer.run([{ ...far, advantages }], { name }, "none", true).lossSum;
    expect(lossOf(Float32Array.of(0, 1, 2))).toBeCloseTo(-3.6);
    expect(() => lossOf(Float32Array.of(0, -1, 2))).toThrow(/datum 0/);
    expect(
      Math.hypot(
        ...gradientOf({ name }, { given: [{ ...far, advantages: Float32Array.of(0, 1, 2) }] }).gradient,
      ),
    ).toBe(0);
  });

  test("gspo has the sequence's ratio at every position, and its gradient reaches each", () => {
    // Of equal advantages the gradient of GSPO-token is that of GSPO itself.
    const given = data.map((datum, index) => ({
      ...datum,
      advantages: new Float32Array(datum.tokens.length).fill(index === 0 ? 1.5 : -1),
      mask: new Float32Array(datum.tokens.length).fill(1),
    }));
    const wide: Loss = { name: "gspo", clipLow: 0, clipHigh: 100 };
    const { gradient, numeric } = gradientOf(wide, { given });
    expect(distance(gradient, numeric)).toBeLessThan(1e-7);
    expect(Math.hypot(...gradient)).toBeGreaterThan(0.1);
    const clipped = gradientOf({ name: "gspo", clipLow: 0, clipHigh: 1e-6 }, { given: given.slice(0, 1) });
    expect(Math.hypot(...clipped.gradient)).toBe(0);
  });

  test("cispo weighs by the clipped ratio, and leaves no position out", () => {
    const wide = gradientOf({ name: "cispo", clipHigh: 100 });
    const { gradient } = gradientOf({ name: "importance_sampling" });
    expect(distance(wide.gradient, gradient)).toBeLessThan(1e-12);
    const narrow = gradientOf({ name: "cispo", clipLow: 0.5, clipHigh: 0.5 });
    const halved = data.map((datum) => ({
      ...datum,
      weights: (datum.advantages ?? new Float32Array()).map((one, at) => 0.5 * one * (datum.mask?.[at] ?? 1)),
    }));
    const weighed = gradientOf({ name: "cross_entropy" }, { given: halved });
    expect(distance(narrow.gradient, weighed.gradient)).toBeLessThan(1e-12);
  });

  test("a datum's own bounds take the place of the loss's, position by position", () => {
    const given = data.map((datum) => ({
      ...datum,
      clipLow: new Float32Array(datum.tokens.length).fill(0),
      clipHigh: new Float32Array(datum.tokens.length).fill(1000),
    }));
    const [own, named, defaults] = [
      gradientOf({ name: "ppo", clipLow: 0.99, clipHigh: 1.01 }, { given }),
      gradientOf({ name: "ppo", clipLow: 0, clipHigh: 1000 }),
      gradientOf({ name: "ppo" }),
    ];
    expect(own.gradient).toEqual(named.gradient);
    expect(distance(own.gradient, defaults.gradient)).toBeGreaterThan(0.1);
  });

  test("names the datum whose target is impossible, or whose loss is no number, and changes nothing", () => {
    const { table, trainer } = trained([3]);
    const refusal = (given: readonly Datum[], loss: Loss): unknown => {
      try {
        return trainer.run(given, loss, "none", true);
      } catch (error) {
        return error;
      }
    };
    const named = (code: string, message: string) =>
      expect.objectContaining({ code, message: expect.stringContaining(message) });
    expect(refusal(data, { name: "cross_entropy" })).toEqual(named("impossible-target", "Datum 0"));
    const [first, second] = possible([3]) as [Datum, Datum];
    const broken = (member: "weights" | "advantages" | "logprobs", value: number) => [
      first,
      { ...second, [member]: Float32Array.of(1, 1, value) },
    ];
    for (const [member, value, loss] of [
      ["weights", Number.NaN, "cross_entropy"],
      ["weights", Number.POSITIVE_INFINITY, "cross_entropy"],
      ["advantages", Number.NaN, "dro"],
      ["logprobs", -1e4, "importance_sampling"],
      ["logprobs", Number.NaN, "gspo"],
    ] as const)
      expect(refusal(broken(member, value), { name: loss })).toEqual(named("non-finite-loss", "datum 1"));
    const before = table.values.slice();
    expect(trainer.optimStep({ learningRate: 1, weightDecay: 0 })).toEqual({ step: 1, gradientNorm: 0 });
    expect(table.values).toEqual(before);
  });

  test("a gradient that is not finite is cleared, and no step is taken", () => {
    const { table, trainer } = trained([]);
    // Finite each, and too large for their squares.
    const huge = data.map((datum) => ({
      ...datum,
      weights: (datum.weights ?? new Float32Array()).map(() => 3e38),
    }));
    for (let call = 0; call < 3; call++) trainer.run(huge, { name: "cross_entropy" }, "none", true);
    table.values[0] = 0;
    const overflowing = { ...(data[0] as Datum), logprobs: Float32Array.of(-700, -1, -1, -1) };
    trainer.run([overflowing], { name: "importance_sampling" }, "none", true);
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
