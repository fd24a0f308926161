import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { type AdvantageOptions, advantagesOf, groupAdvantages, type Judged } from "./advantages.ts";

const rewards = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 12 });
const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;

describe("groupAdvantages", () => {
  property.prop([rewards])("have mean 0 and deviation 1, in the order of their rewards", (given) => {
    const advantages = groupAdvantages(given, { divideByDeviation: true });
    const spread = Math.max(...given) - Math.min(...given);
    if (advantages === undefined) {
      expect(spread).toBeLessThan(1e-5);
      return;
    }
    expect(mean(advantages)).toBeCloseTo(0, 6);
    expect(mean(advantages.map((one) => one ** 2))).toBeCloseTo(1, 6);
    for (const [index, reward] of given.entries())
      for (const [other, against] of given.entries())
        if (reward > against) expect(advantages[index]).toBeGreaterThanOrEqual(advantages[other] as number);
  });

  test("without division they keep the rewards' scale", () => {
    expect(groupAdvantages([1, 0, 0, 0], { divideByDeviation: false })).toEqual([0.75, -0.25, -0.25, -0.25]);
    expect(groupAdvantages([1, 0], { divideByDeviation: true })).toEqual([1, -1]);
  });

  test.each([[[1, 1, 1]], [[0, 0]], [[0.3, 0.3, 0.3]]])("%j teaches nothing", (given) => {
    expect(groupAdvantages(given, { divideByDeviation: true })).toBeUndefined();
    expect(groupAdvantages(given, { divideByDeviation: false })).toBeUndefined();
  });
});

const plain: AdvantageOptions = {
  advantages: "group",
  divideByDeviation: true,
  sampleDeviation: false,
  epsilon: 0,
};
const judged = (reward: number, tokens = 1, rest: Partial<Judged> = {}): Judged => ({
  reward,
  tokens,
  ...rest,
});
const values = (groups: readonly (readonly Judged[])[], options: Partial<AdvantageOptions>) =>
  advantagesOf(groups, { ...plain, ...options }).map((group) => group?.map((one) => [...one]));

describe("advantagesOf", () => {
  test("group: as the group's own deviation, or a sample's plus a small number", () => {
    expect(values([[judged(1), judged(0), judged(0), judged(1)]], {})).toEqual([[[1], [-1], [-1], [1]]]);
    const [[first] = []] = values([[judged(1), judged(0)]], { sampleDeviation: true, epsilon: 1e-4 });
    expect(first?.[0]).toBeCloseTo(0.5 / (Math.sqrt(0.5) + 1e-4), 12);
  });

  test("leave-one-out: each less the mean of the others", () => {
    const group = [judged(1), judged(0), judged(0.5)];
    expect(values([group], { advantages: "leave-one-out" })).toEqual([[[0.75], [-0.75], [0]]]);
  });

  test("group and leave-one-out skip what is equal or alone, and a cost is taken off the whole reward", () => {
    for (const advantages of ["group", "leave-one-out"] as const)
      expect(values([[judged(1), judged(1)], [judged(1)], []], { advantages })).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
    const costs = Float64Array.of(0.25, 0.25);
    const group = [judged(1, 2, { costs }), judged(0, 1)];
    expect(values([group], { advantages: "leave-one-out" })).toEqual([[[0.5, 0.5], [-0.5]]]);
  });

  test("batch: over all tokens, with what each still costs", () => {
    const costs = Float64Array.of(0.5, 0.25);
    // Returns 1 − .75, 1 − .25 and 0.
    const returns = [0.25, 0.75, 0];
    const mean = 1 / 3;
    const deviation = Math.sqrt(returns.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 3);
    const [[first = [], second = []] = []] = values([[judged(1, 2, { costs }), judged(0)]], {
      advantages: "batch",
    });
    for (const [index, one] of [...first, ...second].entries())
      expect(one).toBeCloseTo(((returns[index] ?? 0) - mean) / deviation, 12);
    // One attempt an item, and equal rewards within an item, teach as well.
    expect(values([[judged(1)], [judged(0)]], { advantages: "batch" })).toEqual([[[1]], [[-1]]]);
    expect(values([[judged(1)], [judged(1)]], { advantages: "batch" })).toEqual([undefined, undefined]);
  });

  test("batch-mean, none and learned take off the batch's mean, nothing, and what was expected", () => {
    const groups = [[judged(1, 2)], [judged(0, 1)]];
    expect(values(groups, { advantages: "batch-mean" })).toEqual([[[0.5, 0.5]], [[-0.5]]]);
    expect(values(groups, { advantages: "none" })).toEqual([[[1, 1]], [[0]]]);
    const expected = [[judged(1, 1, { baseline: 0.75 }), judged(0, 1, { baseline: 0.25 })]];
    expect(values(expected, { advantages: "learned" })).toEqual([[[0.25], [-0.25]]]);
    expect(values([[judged(0)], [judged(0)]], { advantages: "none" })).toEqual([undefined, undefined]);
  });
});

test("learned needs what was expected, and says so before anything is taught", () => {
  expect(() => values([[judged(1), judged(0)]], { advantages: "learned" })).toThrow(
    expect.objectContaining({ code: "no-baseline", message: expect.stringMatching(/withBaseline\(/) }),
  );
});

describe("a turn that led to another has its advantage, and is no member of the group", () => {
  // The first attempt took three searches.
  const earlier = Array.from({ length: 3 }, () => judged(1, 1, { earlier: true }));
  const group = [...earlier, judged(1), judged(0), judged(0), judged(0)];
  const [mean, deviation] = [1 / 4, Math.sqrt(3) / 4];

  test.each<readonly [Partial<AdvantageOptions>, readonly [number, number]]>([
    [{}, [(1 - mean) / deviation, -mean / deviation]],
    [{ sampleDeviation: true }, [(1 - mean) / 0.5, -mean / 0.5]],
    [{ advantages: "leave-one-out" }, [1, -1 / 3]],
  ])("%o", (options, [high, low]) => {
    for (const given of [{ ...options }, { ...options, byKind: true }]) {
      const [found = []] = values([group], given);
      for (const [index, [one]] of found.entries()) expect(one).toBeCloseTo(index < 4 ? high : low, 12);
    }
  });
});

describe("byKind: each kind of item has a baseline of its own", () => {
  const of = (kind: string, reward: number, tokens = 1): Judged => judged(reward, tokens, { kind });
  const groups = [
    [of("deduction", 1), of("deduction", 0)],
    [of("abduction", 0.5)],
    [of("deduction", 0), of("deduction", 0)],
    [of("abduction", 0.25)],
    [of("induction", 1)],
  ];
  const [mean, deviation] = [0.25, Math.sqrt(3) / 4];
  const [high, low] = [(1 - mean) / deviation, -mean / deviation];

  test.each(["batch", "group"] as const)(
    "%s, in the order of the groups; a kind without a difference teaches nothing",
    (advantages) => {
      const found = values(groups, { advantages, byKind: true });
      const wanted = [[[high], [low]], [[1]], [[low], [low]], [[-1]], undefined];
      for (const [at, group] of wanted.entries()) {
        expect(found[at] === undefined).toBe(group === undefined);
        for (const [index, [one]] of (group ?? []).entries())
          expect(found[at]?.[index]?.[0]).toBeCloseTo(one as number, 12);
      }
      // The control: without kinds another baseline is taken off.
      expect(values(groups, { advantages })[0]?.[0]?.[0]).not.toBeCloseTo(high, 2);
    },
  );

  test("leave-one-out compares with all other attempts at the kind, batch-mean with all", () => {
    expect(values(groups, { advantages: "leave-one-out", byKind: true })).toEqual([
      [[1], [-1 / 3]],
      [[0.25]],
      [[-1 / 3], [-1 / 3]],
      [[-0.25]],
      undefined,
    ]);
    expect(values(groups, { advantages: "batch-mean", byKind: true })[1]).toEqual([[0.125]]);
  });

  test("batch weighs tokens, group responses", () => {
    const uneven = [[of("a", 1, 3)], [of("a", 0, 1)]];
    const [first] = values(uneven, { advantages: "batch", byKind: true });
    expect(first?.[0]?.[0]).toBeCloseTo(0.25 / Math.sqrt(0.1875), 12);
    expect(values(uneven, { advantages: "group", byKind: true })).toEqual([[[1, 1, 1]], [[-1]]]);
  });
});
