import { describe, expect, test } from "vitest";
import {
  colourOf,
  contrast,
  type Ground,
  heatPaint,
  heatStep,
  heatSteps,
  luminance,
} from "./heat-colours.ts";

const steps = Array.from({ length: heatSteps + 1 }, (_, step) => step);

describe.each<[Ground, 1 | -1]>([
  ["light", -1],
  ["dark", 1],
])("the scale on %s ground", (ground, direction) => {
  test("has text that is read well on every step", () => {
    for (const step of steps) {
      const { fill, ink } = heatPaint(step, ground);
      expect(contrast(fill, ink), `step ${step}`).toBeGreaterThanOrEqual(4.5);
    }
  });

  test("changes its lightness in one direction only", () => {
    const lightness = steps.map((step) => luminance(heatPaint(step, ground).fill) * direction);
    for (const step of steps.slice(1)) expect(lightness[step]).toBeGreaterThan(lightness[step - 1]!);
  });

  test("keeps neighbours two steps apart distinct under red-green blindness", () => {
    for (const step of steps.slice(2)) {
      const [one, other] = [heatPaint(step - 2, ground).fill, heatPaint(step, ground).fill].map(deuteranopia);
      const distance = Math.hypot(...one!.map((part, index) => part - other![index]!));
      expect(distance, `steps ${step - 2} and ${step}`).toBeGreaterThan(8);
    }
  });
});

test("only a whole 1 gets the last step", () => {
  expect([0, 0.049, 0.05, 0.9, 0.999, 1].map(heatStep)).toEqual([0, 0, 1, 18, 19, 20]);
  expect(heatStep(-0.1)).toBe(0);
});

test("contrast of black and white is 21", () => {
  expect(contrast(colourOf("000000"), colourOf("#ffffff"))).toBeCloseTo(21, 5);
});

/** Machado, Oliveira and Fernandes 2009, severity 1; applied to sRGB values directly, which is enough for a distance. */
function deuteranopia([red, green, blue]: readonly [number, number, number]): number[] {
  return [
    0.367322 * red + 0.860646 * green - 0.227968 * blue,
    0.280085 * red + 0.672501 * green + 0.047413 * blue,
    -0.01182 * red + 0.04294 * green + 0.968881 * blue,
  ];
}
