import { describe, expect, test } from "vitest";
import type { Measurement, StoredEvent, StratumScore } from "../../foundation/contract/index.ts";
import { heatMapOf } from "./heat-map.ts";
import { tellRun } from "./tell-run.ts";
import { plausibleRun } from "./testing/plausible-run.ts";

describe("of a whole run", () => {
  const map = heatMapOf(tellRun(plausibleRun({ rounds: 4, rejected: [4] })));

  test("rows are the base and the rounds, columns the difficulties with their zones", () => {
    expect(map.rows.map(({ round, outcome }) => [round, outcome])).toEqual([
      [0, null],
      [1, "promoted"],
      [2, "promoted"],
      [3, "promoted"],
      [4, "rejected"],
    ]);
    expect(map.columns.map(({ difficulty }) => difficulty)).toEqual(
      Array.from({ length: 18 }, (_, index) => index + 1),
    );
    expect(map.columns.map(({ zone }) => zone[0]).join("")).toBe("dddddddd" + "ssssssss" + "mm");
    expect(map.columns.filter(({ enumerated }) => enumerated).map(({ difficulty }) => difficulty)).toEqual([
      1, 2, 3,
    ]);
  });

  test("the champion is marked, and the audit stands apart", () => {
    expect(map.rows.filter(({ champion }) => champion).map(({ round }) => round)).toEqual([3]);
    expect(map.auditRows.map(({ round, split, frontier }) => [round, split, frontier])).toEqual([
      [0, "audit", 9],
      [3, "audit", 13],
    ]);
  });
});

const measured = (strata: readonly Partial<StratumScore>[]): StoredEvent => {
  const measurement: Measurement = {
    weightVersion: "w",
    split: "validation",
    strata: strata.map((part, index) => ({
      stratum: `s${index}`,
      difficulty: 1,
      items: 10,
      mean: 1,
      voids: 0,
      enumerated: false,
      ...part,
    })),
    mean: 0.5,
    interval: { low: 0.4, high: 0.6 },
    frontier90: null,
    frontier50: null,
  };
  return {
    id: 1,
    run: "r",
    at: 0,
    event: { type: "validation-measured", round: 0, who: "base", measurement },
  };
};

test("strata of one difficulty count by their judged items", () => {
  const { rows, columns } = heatMapOf(
    tellRun([
      measured([
        { items: 30, mean: 1 },
        { items: 20, voids: 10, mean: 0 },
        { difficulty: 2, items: 5, voids: 5 },
      ]),
    ]),
  );
  expect(rows[0]?.cells).toEqual([
    { accuracy: 0.75, items: 40 },
    { accuracy: null, items: 0 },
  ]);
  expect(columns.map(({ zone }) => zone)).toEqual(["measured", "measured"]);
});

test("a difficulty is enumerated only when all its strata are", () => {
  const { columns } = heatMapOf(
    tellRun([measured([{ enumerated: true }, { enumerated: false }, { difficulty: 2, enumerated: true }])]),
  );
  expect(columns.map(({ enumerated }) => enumerated)).toEqual([false, true]);
});

test("of nothing there is nothing", () => {
  expect(heatMapOf(tellRun([]))).toEqual({
    unit: "difficulty",
    ordered: true,
    columns: [],
    rows: [],
    auditRows: [],
  });
});
