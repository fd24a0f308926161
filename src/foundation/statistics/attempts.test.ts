import { expect, test } from "vitest";
import { averaged, contrast, keptSolved, measures } from "./attempts.ts";
import { meanOfSums, sampleMean } from "./stratified.ts";

const item = {
  judged: 16,
  right: 8,
  first: 3,
  second: 3,
  distinct: 2,
  distinctRight: 1,
  entropy: 0.69,
  modalShare: 0.5,
  modalRight: true,
  tokens: 4,
  drift: 2,
};
type Item = typeof item | (Omit<typeof item, "modalRight"> & { modalRight: null });
const of = (...items: readonly Partial<Item>[]) => ({ items: items.map((rest) => ({ ...item, ...rest })) });
const many = (count: number, rest: Partial<Item>) => of(...Array.from({ length: count }, () => rest));

test("an average has the interval of so many items", () => {
  expect(averaged(of({ right: 16 }, { right: 0 }), measures.passAtOne)?.mean).toBe(0.5);
  expect(averaged(many(64, { right: 0 }), measures.passAtAll)).toMatchObject({ mean: 0 });
  // Even where all agree there is an error.
  expect(averaged(many(64, { right: 0 }), measures.passAtAll)?.interval.high).toBeGreaterThan(0.02);
  expect(averaged(of({ judged: 0, right: 0 }), measures.passAtOne)).toBeNull();
  expect(averaged(of({}, { tokens: 0 }), measures.drift)?.mean).toBe(0.25);
});

test("a difference is of the same items, and what was not judged is no part of it", () => {
  const before = of({ right: 16 }, { right: 0 }, { right: 4 });
  const after = of({ right: 8 }, { right: 4 }, { judged: 0, right: 0 });
  expect(contrast(before, after, measures.passAtOne)?.mean).toBeCloseTo(-0.125, 12);
  expect(contrast(before, before, measures.passAtOne)?.mean).toBe(0);
  expect(contrast(of(), of(), measures.passAtOne)).toBeNull();
});

test("an item is locked where three quarters of the attempts say the same", () => {
  const locked = (rest: Partial<Item>) => [
    averaged(of(rest), measures.lockedWrong)?.mean ?? null,
    averaged(of(rest), measures.lockedNet)?.mean ?? null,
  ];
  expect(locked({ modalShare: 0.75, modalRight: false })).toEqual([1, 1]);
  expect(locked({ modalShare: 0.75, modalRight: true })).toEqual([0, -1]);
  expect(locked({ modalShare: 0.7, modalRight: false })).toEqual([0, 0]);
  expect(locked({ modalRight: null })).toEqual([null, null]);
});

test("an item is solved by at least 4 of 5 attempts, and asked again by the next five", () => {
  const champion = of({ first: 5, second: 4 }, { first: 4, second: 2 }, { first: 3, second: 5 });
  const candidate = of({ second: 3 }, { second: 5 }, { second: 0 });
  expect(keptSolved(champion, candidate)).toEqual({ solved: 2, still: 1 });
  expect(keptSolved(champion, champion)).toEqual({ solved: 2, still: 1 });
});

test("sums say what their values say", () => {
  const values = [0, 0.5, 1, 1];
  const sums = { count: 4, sum: 2.5, squares: 2.25 };
  const [own, other] = [meanOfSums(sums, [0, 1]), sampleMean(values, [0, 1])];
  expect(own.mean).toBe(other.mean);
  expect(own.interval.low).toBeCloseTo(other.interval.low, 12);
  expect(own.interval.high).toBeCloseTo(other.interval.high, 12);
  expect(() => meanOfSums({ count: 0, sum: 0, squares: 0 }, [0, 1])).toThrow(RangeError);
});

test("what may lie anywhere has Student's interval, and one item none that says anything", () => {
  // 12.7062 · √(2/2), the t of one degree of freedom, to either side.
  expect(averaged(of({ tokens: 1 }, { tokens: 3 }), measures.tokens)?.interval.high).toBeCloseTo(14.7062, 3);
  expect(averaged(of({ tokens: 3 }), measures.tokens)).toMatchObject({
    mean: 3,
    interval: { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY },
  });
});
