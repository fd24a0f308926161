import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { repetitionCadence, stepCadence, stretchesOf } from "./cadence.ts";

const endsOf = (steps: number, cadence = stepCadence): number[] =>
  stretchesOf(steps, cadence).map(({ to }) => to);

describe("stretchesOf", () => {
  test("is five parts, unless they were too short or too long", () => {
    expect(endsOf(0)).toEqual([]);
    expect(endsOf(48)).toEqual([48]);
    expect(endsOf(100)).toEqual([25, 50, 75, 100]);
    expect(endsOf(500)).toEqual([100, 200, 300, 400, 500]);
    expect(endsOf(1500)).toEqual([250, 500, 750, 1000, 1250, 1500]);
    expect(endsOf(20, repetitionCadence)).toEqual([4, 8, 12, 16, 20]);
    expect(endsOf(7, repetitionCadence)).toEqual([7]);
  });

  test.prop([fc.integer({ min: 1, max: 5000 })])("covers every step once, in order", (steps) => {
    const stretches = stretchesOf(steps, stepCadence);
    expect(stretches.map(({ from }) => from)).toEqual([0, ...stretches.slice(0, -1).map(({ to }) => to)]);
    expect(stretches.at(-1)?.to).toBe(steps);
    for (const { from, to } of stretches) expect(to - from).toBeLessThanOrEqual(stepCadence.most);
    if (stretches.length > 1)
      for (const { from, to } of stretches) expect(to - from).toBeGreaterThanOrEqual(stepCadence.least);
  });
});
