import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { type Derived, derivativeFault, derivativeTolerance, negated } from "../testing/derivative.ts";
import { type PairLossOptions, pairLossOf, pairLossSchema, readsReference, type Told } from "./pair-loss.ts";

const read = (options: unknown): PairLossOptions => pairLossSchema.parse(options);
const losses = [
  { name: "dpo", beta: 0.3 },
  { name: "dpo", beta: 0.1, likelihood: 1 },
  { name: "ipo", beta: 0.2 },
  { name: "ipo", beta: 0.5, likelihood: 0.5 },
  { name: "simpo", beta: 2, gamma: 1 },
  { name: "orpo", lambda: 0.2 },
  { name: "sppo", eta: 3 },
].map((options) => [JSON.stringify(options), read(options)] as const);

const logprob = fc.double({ min: -20, max: -0.5, noNaN: true });
const length = fc.integer({ min: 1, max: 9 });
const reward = fc.double({ min: 0, max: 1, noNaN: true });
const told = fc.record({ logprob, reference: logprob, tokens: length, reward });

const derivedOf =
  (options: PairLossOptions, chosen: Told, rejected: Told): Derived =>
  ([first = 0, second = 0]) => {
    const value = pairLossOf(options)({ ...chosen, logprob: first }, { ...rejected, logprob: second });
    return { loss: value.loss, slopes: [value.chosen, value.rejected] };
  };

describe.each(losses)("%s", (_, options) => {
  property.prop([told, told])("its derivative is that of its value", (chosen, rejected) => {
    const derived = derivedOf(options, chosen, rejected);
    expect(derivativeFault(derived, [chosen.logprob, rejected.logprob])).toBeLessThan(derivativeTolerance);
  });

  property.prop([told, told])("and a negated one is found out", (chosen, rejected) => {
    const derived = negated(derivedOf(options, chosen, rejected));
    const at = [chosen.logprob, rejected.logprob];
    fc.pre(Math.max(...derived(at).slopes.map(Math.abs)) > 1e-9);
    expect(derivativeFault(derived, at)).toBeGreaterThan(1);
  });
});

describe("values", () => {
  const chosen: Told = { logprob: -4, reference: -5, tokens: 2, reward: 0.75 };
  const rejected: Told = { logprob: -9, reference: -7, tokens: 3, reward: 0.25 };
  const lossOf = (options: unknown): number => pairLossOf(read(options))(chosen, rejected).loss;

  test("dpo, with and without the likelihood of the chosen", () => {
    const plain = -Math.log(1 / (1 + Math.exp(-0.1 * (1 + 2))));
    expect(lossOf({ name: "dpo" })).toBeCloseTo(plain, 12);
    expect(lossOf({ name: "dpo", likelihood: 2 })).toBeCloseTo(plain + 2 * 2, 12);
  });

  test("ipo per token, simpo without reference, orpo with likelihood, sppo by chances", () => {
    expect(lossOf({ name: "ipo", beta: 0.5 })).toBeCloseTo((0.5 + 2 / 3 - 1) ** 2, 12);
    expect(lossOf({ name: "simpo", beta: 2, gamma: 1 })).toBeCloseTo(Math.log1p(Math.exp(-(2 * 1 - 1))), 12);
    const odds = (mean: number): number => Math.log(Math.exp(mean) / (1 - Math.exp(mean)));
    const ratio = odds(-2) - odds(-3);
    expect(lossOf({ name: "orpo", lambda: 0.1 })).toBeCloseTo(2 + 0.1 * Math.log1p(Math.exp(-ratio)), 12);
    expect(lossOf({ name: "sppo", eta: 4 })).toBeCloseTo((1 - 1) ** 2 + (-2 + 1) ** 2, 12);
  });

  test("margins without bound have finite losses and slopes", () => {
    for (const [, options] of losses) {
      const extreme = pairLossOf(options)(
        { ...chosen, logprob: 0, reference: -4000 },
        { ...rejected, logprob: -4000, reference: 0 },
      );
      const opposite = pairLossOf(options)(
        { ...chosen, logprob: -4000, reference: 0 },
        { ...rejected, logprob: 0, reference: -4000 },
      );
      for (const value of [...Object.values(extreme), ...Object.values(opposite)])
        expect(Number.isFinite(value)).toBe(true);
    }
  });

  test("simpo and orpo read no reference", () => {
    expect(losses.map(([, options]) => readsReference(options))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
  });
});
