/** Red, green and blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/**
 * Two scales of 11 stops from accuracy 0 to 1, drawn in OKLCH. Lightness runs one way only, so that the order is seen by
 * every kind of colour vision and in print; the hue only helps. On light ground a high accuracy is deep, on dark it shines.
 */
const ramps = {
  light: [
    "f7efe0 e4e7c6 c4e2b8 98d7b4 68c7b1 2cb3b3 0d99af 007ea9 03639f 10498f 1c2f7a",
    ["ffffff", "0b1020"],
  ],
  dark: [
    "232537 2b3052 313c6f 304d88 23649d 037bab 0295b0 05afb5 3bcbb0 88e29f d1f492",
    ["ffffff", "0b1020"],
  ],
} as const;

export type Ground = keyof typeof ramps;

/** Steps that a page or a terminal tells apart. */
export const heatSteps = 20;

/** The step of an accuracy, 0 to {@link heatSteps}. Only a whole 1 gets the last one. */
export function heatStep(accuracy: number): number {
  if (accuracy >= 1) return heatSteps;
  return Math.max(0, Math.min(heatSteps - 1, Math.floor(accuracy * heatSteps)));
}

export interface HeatPaint {
  readonly fill: Colour;
  /** The text colour that is read best on it. */
  readonly ink: Colour;
}

export function heatPaint(step: number, ground: Ground): HeatPaint {
  return paints[ground][Math.max(0, Math.min(heatSteps, step))] as HeatPaint;
}

function paintsOf(ground: Ground): HeatPaint[] {
  const [stops, inks] = ramps[ground];
  const colours = stops.split(" ").map(colourOf);
  return Array.from({ length: heatSteps + 1 }, (_, step) => {
    const place = (step / heatSteps) * (colours.length - 1);
    const low = Math.min(colours.length - 2, Math.floor(place));
    const fill = mix(colours[low] as Colour, colours[low + 1] as Colour, place - low);
    const [ink] = inks.map(colourOf).sort((a, b) => contrast(b, fill) - contrast(a, fill));
    return { fill, ink: ink as Colour };
  });
}

function mix(from: Colour, to: Colour, share: number): Colour {
  const [red, green, blue] = from.map((part, index) =>
    Math.round(part + ((to[index] ?? part) - part) * share),
  );
  return [red ?? 0, green ?? 0, blue ?? 0];
}

export function colourOf(hex: string): Colour {
  const value = Number.parseInt(hex.replace("#", ""), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

export function hexOf(colour: Colour): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/** Relative luminance (WCAG 2.2). */
export function luminance(colour: Colour): number {
  const [red = 0, green = 0, blue = 0] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast ratio (WCAG 2.2): 4.5 and more is read well. */
export function contrast(one: Colour, other: Colour): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** Last, for it needs all of the above. */
const paints: Readonly<Record<Ground, readonly HeatPaint[]>> = {
  light: paintsOf("light"),
  dark: paintsOf("dark"),
};
