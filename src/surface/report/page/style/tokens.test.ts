import { describe, expect, test } from "vitest";
import { colourOf, contrast } from "../../heat-colours.ts";
import { tokens } from "./tokens.ts";

describe.each(["light", "dark"] as const)("on %s ground", (ground) => {
  const colours = tokens[ground];
  const between = (one: keyof typeof colours, other: keyof typeof colours): number =>
    contrast(colourOf(colours[one]), colourOf(colours[other]));

  test.each(["ink", "quiet", "accent", "good", "warn", "bad"] as const)("%s is read well", (text) => {
    expect(between(text, "ground")).toBeGreaterThanOrEqual(4.5);
    expect(between(text, "card")).toBeGreaterThanOrEqual(4.5);
  });

  test.each(["good", "warn", "bad"] as const)("%s is read well on its own ground", (text) => {
    expect(between(text, `${text}-ground`)).toBeGreaterThanOrEqual(4.5);
  });

  test("quiet chips are read well", () => {
    expect(between("quiet", "plain-ground")).toBeGreaterThanOrEqual(4.5);
  });

  test.each(["series-one", "series-two", "accent"] as const)("the line %s is seen on a card", (line) => {
    expect(between(line, "card")).toBeGreaterThanOrEqual(3);
  });
});
