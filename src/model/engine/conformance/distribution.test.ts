import { expect, test } from "vitest";
import { strangeness } from "./distribution.ts";

test("what comes once in hundreds of right samples is not strange, and what comes never is", () => {
  const half = [0.5, 0.5];
  // 2.85 standard deviations: once in 230.
  expect(strangeness([1578, 1422], half)).toBeLessThan(3);
  expect(strangeness([1700, 1300], half)).toBeGreaterThan(5);
  expect(strangeness([1500, 1500], half)).toBeLessThan(0);
  const many = new Array<number>(101).fill(1 / 101);
  const even = many.map(() => 30);
  // Of many tokens it is a normal number as it is: 100 cells at 1.5 standard deviations.
  const apart = even.map((count, index) => count + (index === 100 ? 0 : index % 2 === 0 ? 8 : -8));
  expect(strangeness(apart, many)).toBeGreaterThan(5);
});
