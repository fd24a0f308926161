import { describe, expect, test } from "vitest";
import type { Gain, Measurement, RunEvent, StoredEvent } from "../../foundation/contract/index.ts";
import { isFinished, lastRound, resultOf } from "./result.ts";

const stored = (events: readonly RunEvent[]): StoredEvent[] =>
  events.map((event, index) => ({ id: index + 1, run: "1-x", at: 0, event }));
const played = (...rounds: number[]): RunEvent[] =>
  rounds.map((round) => ({ type: "round-finished", round, seconds: 1 }));
const finished = (outcome: "rounds-spent" | "stopped-by-guard" = "rounds-spent"): RunEvent => ({
  type: "run-finished",
  outcome,
  reason: "8 rounds",
  champion: "1-x/round-3-solver",
  championRound: 3,
});
const audited = (comparison: "base" | "previous-champion", mean: number): RunEvent => {
  const measurement = {} as Measurement;
  const gain: Gain = { mean, interval: { low: 0, high: 1 }, pairs: 10 };
  return { type: "audit-measured", round: 3, comparison, before: measurement, after: measurement, gain };
};
const result = (...events: RunEvent[]) => resultOf("1-x", stored(events), (name) => `/folder/${name}`);

describe("resultOf", () => {
  test("of a run that was ended early has no champion yet", () => {
    expect(result(...played(1))).toMatchObject({
      run: "1-x",
      outcome: "interrupted",
      champion: null,
      championRound: null,
      gain: null,
      alreadyFinished: false,
    });
  });

  test("of a finished one says where its champion lies, and its gain over the base", () => {
    const events = [audited("previous-champion", 0.9), audited("base", 0.5), finished()];
    expect(result(...events)).toMatchObject({
      outcome: "rounds-spent",
      reason: "8 rounds",
      champion: "/folder/1-x/round-3-solver",
      championRound: 3,
      gain: { mean: 0.5 },
    });
    expect(result(audited("previous-champion", 0.9), finished()).gain).toBeNull();
  });

  test("of one that was finished twice is the later's", () => {
    const { gain, outcome } = result(
      audited("base", 0.1),
      finished(),
      audited("base", 0.2),
      finished("stopped-by-guard"),
    );
    expect([gain?.mean, outcome]).toEqual([0.2, "stopped-by-guard"]);
  });
});

describe("isFinished", () => {
  test.each([
    ["not begun", [], 8, false],
    ["all rounds, and the end", [...played(1, 2), finished()], 2, true],
    ["all rounds, not the end", played(1, 2), 2, false],
    ["more rounds are wanted", [...played(1, 2), finished()], 3, false],
    ["fewer rounds are wanted", [...played(1, 2), finished()], 1, true],
    ["a guard has stopped it", [...played(1), finished("stopped-by-guard")], 8, true],
    ["no round was wanted", [finished()], 0, true],
  ] as const)("%s", (_, events, rounds, expected) => {
    expect(isFinished(stored(events), rounds)).toBe(expected);
  });
});

test("the last round is the greatest that was finished", () => {
  expect(lastRound(stored([]))).toBe(0);
  expect(lastRound(stored(played(1, 3, 2)))).toBe(3);
});
