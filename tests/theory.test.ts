import { describe, expect, test } from "vitest";
import { drawPicture } from "../bench/theory/picture.ts";
import type { Row } from "../bench/theory/row.ts";
import { theories } from "../bench/theory/theories.ts";
import { measureTheory, type Theory } from "../bench/theory/theory.ts";

/** A small part of the bench (npm run bench:theory), whose tolerances are wider by the root of what is left out. */
describe.each(Object.keys(theories))("%s", (name) => {
  test("holds, and its controls do not", async () => {
    const theory = (await theories[name]?.()) as Theory;
    // A whole engine answers for each of its chains.
    const groups = name === "sharpening" ? 24 : 60;
    const size = { groups, chains: Math.min(theory.size.chains, 20) };
    const { rows, coverage, controls, holds } = await measureTheory(theory, ["test"], size);
    expect(rows.filter((row) => !row.holds)).toEqual([]);
    expect(coverage).toMatchObject({ relation: "at least", predicted: 0.95, holds: true });
    expect(controls.length).toBe(theory.wrong.length + 1);
    expect(controls.filter((control) => control.holds)).toEqual([]);
    expect(holds).toBe(true);

    const picture = theory.picture((key) => rows.find((row) => row.key === key) as Row);
    const svg = drawPicture(picture);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    for (const { x, y, series } of picture.panels)
      for (const text of [x.label, y.label, ...series.map((one) => one.name)]) expect(svg).toContain(text);
  });
});

describe("a result that is wrong", () => {
  const coin = (predicted: number, share = 0.5): Theory => ({
    name: "coin",
    title: "A coin",
    source: "none",
    size: { groups: 20, chains: 50 },
    covers: "heads",
    quantities: [{ key: "heads", what: "heads", kind: "share", predicted, tolerance: 0.05 }],
    wrong: [{ what: "never", key: "heads", predicted: share }],
    simulate: (stream, chains) => Array.from({ length: chains }, () => [Number(stream.uniform() < 0.5)]),
    picture: () => ({ title: "", subtitle: "", panels: [] }),
  });

  test("does not hold, and neither does one whose control holds", async () => {
    const right = await measureTheory(coin(0.5, 0.2), [1, 2, 3, 4, 5]);
    expect(right).toMatchObject({ holds: true, rows: [{ holds: true, tolerance: 0.05 }] });
    expect(right.rows[0]?.seeds).toHaveLength(5);
    const wrong = await measureTheory(coin(0.6, 0.2), [1, 2, 3, 4, 5]);
    expect(wrong).toMatchObject({ holds: false, rows: [{ holds: false }], coverage: { holds: false } });
    const sly = await measureTheory(coin(0.5, 0.51), [1, 2, 3, 4, 5]);
    expect(sly).toMatchObject({ holds: false, rows: [{ holds: true }], controls: [{ holds: true }, {}] });
  });

  test("is not believed where its interval is wider than the tolerance", async () => {
    const theory = coin(0.5, 0.2);
    const fair = { ...theory, quantities: theory.quantities.map((one) => ({ ...one, tolerance: 0.001 })) };
    expect((await measureTheory(fair, [1, 2, 3, 4, 5])).rows).toMatchObject([{ holds: false }]);
  });
});
