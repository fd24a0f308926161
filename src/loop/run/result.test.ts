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

const rolledBack = (round: number, to: number): RunEvent => ({
  type: "champion-rolled-back",
  round,
  from: { round: 3, checkpoint: "1-x/round-3-solver" },
  to: { round: to, checkpoint: `1-x/round-${to}-solver` },
  reason: "",
  by: "person",
});
const auditedAs = (checkpoint: string, mean: number): RunEvent => {
  const event = audited("base", mean) as Extract<RunEvent, { type: "audit-measured" }>;
  return { ...event, after: { weightVersion: checkpoint } as Measurement };
};

describe("a champion that was taken back", () => {
  test("is the result's, without the gain of the one before it", () => {
    expect(result(audited("base", 0.5), finished(), rolledBack(3, 2))).toMatchObject({
      outcome: "rounds-spent",
      champion: "/folder/1-x/round-2-solver",
      championRound: 2,
      gain: null,
    });
  });

  test("keeps the gain that it was audited with", () => {
    const events = [auditedAs("1-x/round-2-solver", 0.3), auditedAs("1-x/round-3-solver", 0.5), finished()];
    expect(result(...events, rolledBack(3, 2)).gain?.mean).toBe(0.3);
  });

  test("is told by the end that comes after it", () => {
    expect(result(finished(), rolledBack(3, 2), audited("base", 0.4), finished())).toMatchObject({
      championRound: 3,
      gain: { mean: 0.4 },
    });
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
    ["the champion was taken back since", [...played(1, 2), finished(), rolledBack(2, 1)], 2, false],
    ["and it has ended again", [...played(1, 2), finished(), rolledBack(2, 1), finished()], 2, true],
    [
      "a guard's stop was answered by it",
      [...played(1), finished("stopped-by-guard"), rolledBack(1, 0)],
      8,
      false,
    ],
    ["its last round was given up", [...played(1), rolledBack(2, 0), finished()], 2, true],
  ] as const)("%s", (_, events, rounds, expected) => {
    expect(isFinished(stored(events), { rounds })).toBe(expected);
  });
});

test("the last round is the greatest that was finished", () => {
  expect(lastRound(stored([]))).toBe(0);
  expect(lastRound(stored(played(1, 3, 2)))).toBe(3);
  expect(lastRound(stored([...played(1, 3, 2), rolledBack(4, 1)]))).toBe(4);
});
