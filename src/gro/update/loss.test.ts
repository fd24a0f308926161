import { expect, test } from "vitest";
import { stepLoss, trainingLoss } from "./loss.ts";

test("a short training has a point a step, a long one means over equal stretches that leave no step out", () => {
  expect(trainingLoss([])).toBeUndefined();
  expect(trainingLoss([3, 2, 1])).toEqual({ steps: 3, means: [3, 2, 1] });
  const long = trainingLoss(Array.from({ length: 100 }, (_, step) => step));
  expect(long?.steps).toBe(100);
  expect(long?.means).toHaveLength(32);
  expect([long?.means[0], long?.means.at(-1)]).toEqual([1, 98]);
  expect(trainingLoss(Array.from({ length: 64 }, () => 0.25))?.means).toEqual(
    Array.from({ length: 32 }, () => 0.25),
  );
});

test("a loss that diverged is null, and so is the stretch that it is in", () => {
  expect([Number.NaN, Number.POSITIVE_INFINITY, 0.123456789].map(stepLoss)).toEqual([null, null, 0.123457]);
  const means = trainingLoss(Array.from({ length: 64 }, (_, step) => (step === 63 ? null : 1)))?.means ?? [];
  expect(means.slice(0, 31)).toEqual(Array.from({ length: 31 }, () => 1));
  expect(means[31]).toBeNull();
});
