import { describe, expect, test } from "vitest";
import { type ChartPoint, lineChart } from "./line-chart.ts";
import { axisFormat } from "./page-words.ts";
import { domainOf, niceTicks, roundTicks } from "./scale.ts";

const point = (round: number, value: number | null, more: Partial<ChartPoint> = {}): ChartPoint => ({
  round,
  value,
  full: true,
  ...more,
});
const draw = (points: readonly ChartPoint[], isShare = false): string | undefined =>
  lineChart({ title: "meter", isShare, format: String, series: [{ name: "meter", kind: "one", points }] })
    ?.markup;

describe("ticks", () => {
  test.each([
    [0, 100, 4, [0, 50, 100]],
    [0.6, 0.97, 4, [0.6, 0.7, 0.8, 0.9, 1]],
    [9, 17, 4, [8, 10, 12, 14, 16, 18]],
    [2.1e-6, 3.1e-6, 4, [2e-6, 2.5e-6, 3e-6, 3.5e-6]],
    [-0.02, 0.03, 4, [-0.02, 0, 0.02, 0.04]],
    [5, 5, 4, [5]],
  ])("cover %d to %d", (low, high, most, ticks) => {
    expect(niceTicks(low, high, most)).toEqual(ticks);
  });

  test("of whole numbers are whole", () => {
    expect(niceTicks(11, 12, 4, true)).toEqual([11, 12]);
    expect(niceTicks(9, 17, 4, true)).toEqual([8, 10, 12, 14, 16, 18]);
  });

  test("of shares are written with the digits that tell them apart", () => {
    const written = (ticks: readonly number[]) => ticks.map(axisFormat("share")(ticks[1]! - ticks[0]!));
    expect(written([0.9, 0.95, 1])).toEqual(["90 %", "95 %", "100 %"]);
    expect(written([0.997, 0.9975, 0.998])).toEqual(["99.70 %", "99.75 %", "99.80 %"]);
    expect(written([-0.002, 0])).toEqual(["−0.2 %", "0.0 %"]);
  });

  test.each([
    [1, 8, 12, [1, 2, 3, 4, 5, 6, 7, 8]],
    [1, 40, 8, [1, 7, 13, 19, 25, 31, 37]],
    [3, 3, 8, [3]],
  ])("of rounds %d to %d", (first, last, most, ticks) => {
    expect(roundTicks(first, last, most)).toEqual(ticks);
  });

  test("a domain is never empty, and a share's stays a share", () => {
    const share = { least: 0, most: 1 };
    expect(domainOf([1, 1], share)).toEqual({ low: 0.9, high: 1 });
    expect(domainOf([0, 0], share)).toEqual({ low: 0, high: 1 });
    expect(domainOf([0], { least: 0 })).toEqual({ low: 0, high: 1 });
    expect(domainOf([-2, 5], { least: 0 })).toEqual({ low: -2, high: 5 });
  });

  test("what differs by how it was computed only is the same", () => {
    const ones = [1.0000000000000007, 1, 0.9999999999999999];
    expect(domainOf(ones, { least: 0, most: 1 })).toEqual({ low: 0.9, high: 1 });
    expect(domainOf([2e-6, 3e-6], { least: 0 })).toEqual({ low: 2e-6, high: 3e-6 });
    const svg =
      lineChart({
        title: "gap",
        isShare: true,
        format: String,
        axis: axisFormat("share"),
        series: [{ name: "gap", kind: "one", points: ones.map((value, index) => point(index, value)) }],
      })?.markup ?? "";
    const labels = [...svg.matchAll(/text-anchor="end">([^<]*)</g)].map(([, label]) => label);
    expect(labels).toEqual(["90 %", "95 %", "100 %"]);
  });
});

describe("a line", () => {
  test("parts where nothing was measured", () => {
    const svg = draw([point(1, 1), point(2, 2), point(3, null), point(4, 4), point(5, 5)]);
    expect(svg?.match(/<path class="line one"/g)).toHaveLength(2);
    expect(svg?.match(/<circle/g)).toHaveLength(4);
  });

  test("goes up where values go up, within its frame", () => {
    const svg = draw([point(1, 10), point(2, 20), point(3, 15)]) ?? "";
    const dots = [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)].map(
      ([, x, y]) => [Number(x), Number(y)] as const,
    );
    expect(dots[1]![1]).toBeLessThan(dots[2]![1]);
    expect(dots[2]![1]).toBeLessThan(dots[0]![1]);
    for (const [x, y] of dots) {
      expect(x).toBeGreaterThan(0);
      expect(x).toBeLessThan(320);
      expect(y).toBeGreaterThanOrEqual(8);
      expect(y).toBeLessThanOrEqual(136);
    }
  });

  test("has its interval as a band, also of a single round", () => {
    const interval = { low: 0.4, high: 0.6 };
    expect(draw([point(1, 0.5, { interval }), point(2, 0.5, { interval })], true)).toContain("<polygon");
    const [, corners = ""] = /points="([^"]*)"/.exec(draw([point(1, 0.5, { interval })], true) ?? "") ?? [];
    const xs = corners.split(" ").map((corner) => Number(corner.split(",")[0]));
    expect(Math.max(...xs) - Math.min(...xs)).toBe(8);
  });

  test("has no tick and no band where its quantity cannot be", () => {
    const chart = (value: number, limits = {}): string =>
      lineChart({
        title: "entropy",
        isShare: false,
        limits,
        format: String,
        series: [
          {
            name: "entropy",
            kind: "one",
            points: [
              point(1, value, { interval: { low: value - 0.04, high: value + 0.04 } }),
              point(2, 0.98, { interval: { low: 0.92, high: 1.04 } }),
            ],
          },
        ],
      })?.markup ?? "";
    const ticks = (svg: string): number[] =>
      [...svg.matchAll(/text-anchor="end">([^<]*)</g)].map(([, label]) => Number(label));
    expect(ticks(chart(0.02))).toEqual([-0.5, 0, 0.5, 1, 1.5]);
    expect(ticks(chart(0.02, { least: 0 }))).toEqual([0, 0.5, 1, 1.5]);
    expect(ticks(chart(0.02, { least: 0, most: 1 }))).toEqual([0, 0.5, 1]);
    // What lies beyond shows that the limit is none.
    expect(ticks(chart(-0.02, { least: 0, most: 1 }))).toEqual([-0.5, 0, 0.5, 1, 1.5]);
  });

  test("a round that was not promoted has a hollow dot, and every dot says its value", () => {
    const svg = draw([point(1, 0.5), point(2, 0.7, { full: false, interval: { low: 0.6, high: 0.8 } })]);
    expect(svg?.match(/class="dot one full"/g)).toHaveLength(1);
    expect(svg).toContain("<title>meter, round 2: 0.7 (0.6 to 0.8)</title>");
  });

  test("nothing measured is no chart", () => {
    expect(draw([])).toBeUndefined();
    expect(draw([point(1, null)])).toBeUndefined();
  });

  test("no coordinate is lost", () => {
    for (const values of [[0], [1, 1, 1], [1e-9, 2e-9], [-5, 5], [1e12, 2e12]])
      expect(draw(values.map((value, index) => point(index + 1, value)))).not.toMatch(
        /NaN|Infinity|undefined|\[object/,
      );
  });
});

test("names of two lines that end together are pushed apart", () => {
  const points = [point(1, 0.99), point(2, 0.99)];
  const svg = lineChart({
    title: "labels",
    isShare: true,
    format: String,
    series: [
      { name: "all", kind: "one", points },
      { name: "kept", kind: "two", points },
    ],
  })?.markup;
  const ys = [...(svg ?? "").matchAll(/class="label \w+" x="[\d.]+" y="([\d.]+)"/g)].map(([, y]) =>
    Number(y),
  );
  expect(Math.abs(ys[0]! - ys[1]!)).toBe(14);
});
