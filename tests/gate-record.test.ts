import { expect, test } from "vitest";
import { openGate } from "whetstone";
import { nullCases } from "../bench/gate/null-cases.ts";
import { alpha, bars, playPower, powerCells, quantile } from "../bench/gate/play.ts";
import { gateDigest } from "../bench/gate/sources.ts";
import { type BenchTable, recorded } from "../bench/record.ts";

/** What `npm run bench:gate` found the last time it was run in full, held against its bars and against the gate as it is now. */
function recordOf(name: string): BenchTable {
  const record = recorded(name);
  if (record === null) throw new Error(`there is no record ${name}; run npm run bench:gate`);
  return record;
}

/** "1.30 / 2.24 of 1327": median and 80th percentile over the fixed test's items. */
function ratiosIn(cell: string | number | undefined): { readonly median: number; readonly p80: number } {
  const [, median, p80] = /^(\S+) \/ (\S+) of \d+$/.exec(String(cell)) ?? [];
  return { median: Number(median), p80: Number(p80) };
}

const records = ["gate-null", "gate-power"] as const;

test.each(records)("%s was measured with the gate that there is", (name) => {
  expect(
    recordOf(name).sources,
    "the gate was changed since: run npm run bench:gate, about five minutes",
  ).toBe(gateDigest());
});

test("of a thousand runs without a true gain at most α ever promote, in every case and any strata", () => {
  const { title, rows } = recordOf("gate-null");
  expect(title).toContain("of 1000 runs of 50 openings");
  expect(rows.map(([name]) => name)).toEqual(Object.keys(nullCases));
  for (const [name, ...shares] of rows) {
    expect(shares).toHaveLength(3);
    for (const share of shares) expect(Number(share), String(name)).toBeLessThanOrEqual(alpha);
  }
});

test("every true gain is shown within the bars, at openings 1, 8 and 50", () => {
  const { rows } = recordOf("gate-power");
  const cells = powerCells.filter(({ r, strata }) => r === 1 && strata === 1);
  const named = cells.map(({ gain, discordance }) => [gain.toFixed(2), discordance.toFixed(2)]);
  expect(rows.map(([gain, discordance]) => [gain, discordance])).toEqual(named);
  for (const [, , ...openings] of rows) {
    expect(openings).toHaveLength(3);
    for (const { median, p80 } of openings.map(ratiosIn)) {
      expect(median).toBeLessThanOrEqual(bars.median);
      expect(p80).toBeLessThanOrEqual(bars.p80);
    }
  }
});

test("a row of it comes out again to the digit", async () => {
  const [gain, discordance, r] = [0.15, 0.25, 8];
  const { rows } = recordOf("gate-power");
  const row = rows.find((one) => one[0] === gain.toFixed(2) && one[1] === discordance.toFixed(2));
  const again = await Promise.all(
    [1, 3, 18].map((strata) =>
      playPower({ gain, discordance, r, strata }, { gate: openGate, times: 1000, seed: "1" }),
    ),
  );
  const worst = (share: number): number =>
    Number(Math.max(...again.map((one) => quantile(one, share) / one.fixed)).toFixed(2));
  expect({ median: worst(0.5), p80: worst(0.8) }).toEqual(ratiosIn(row?.[3]));
});
