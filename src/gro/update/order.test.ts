import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import { drawsOver, stepsOver } from "./order.ts";

const random = randomStream(3, "order");
const members = [0, 1, 2, 3, 4];

describe("drawsOver", () => {
  test("everyone once an epoch, in other orders, and what is left in the last step", () => {
    const length = { epochs: 2, batch: 4 };
    expect(stepsOver(5, length)).toBe(3);
    const draw = drawsOver(members, length, random);
    const drawn = [0, 1, 2].map(draw);
    expect(drawn.map(({ length: size }) => size)).toEqual([4, 4, 2]);
    const flat = drawn.flat();
    expect(flat.slice(0, 5).sort()).toEqual(members);
    expect(flat.slice(5).sort()).toEqual(members);
    expect(flat.slice(0, 5)).not.toEqual(flat.slice(5));
  });

  test("a range is done again alike, whatever came before it", () => {
    const length = { steps: 7, batch: 3 };
    expect(stepsOver(5, length)).toBe(7);
    const whole = Array.from({ length: 7 }, (_, step) => drawsOver(members, length, random)(step));
    const later = drawsOver(members, length, randomStream(3, "order"));
    expect([5, 6].map(later)).toEqual(whole.slice(5));
    expect(whole.every(({ length: size }) => size === 3)).toBe(true);
  });

  test("of nothing there is nothing to draw", () => {
    expect(stepsOver(0, { steps: 5, batch: 2 })).toBe(0);
    expect(drawsOver([], { steps: 5, batch: 2 }, random)(0)).toEqual([]);
  });
});
