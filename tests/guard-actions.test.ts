import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type EventOf,
  type GuardAction,
  guardActions,
  type RunEventType,
} from "../src/foundation/contract/index.ts";
import { drift } from "../src/lifecycle/guard/index.ts";
import { promotingRun } from "../src/loop/run/testing/last-letter.ts";
import { type RunResult, run } from "../src/loop/run.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** Two rounds, watched by a guard whose demand nobody who learns can meet. */
async function watched(action: GuardAction): Promise<RunResult> {
  const folder = mkdtempSync(join(tmpdir(), "guard-actions-"));
  folders.push(folder);
  return await run(promotingRun(2, { guard: [drift({ budget: 1e-4, action })] }), { folder });
}

const runs = new Map<GuardAction, RunResult>();
beforeAll(async () => {
  for (const action of guardActions) runs.set(action, await watched(action));
}, 300_000);

const eventsOf = <T extends RunEventType>(action: GuardAction, type: T): EventOf<T>[] =>
  (runs.get(action)?.events ?? []).flatMap(({ event }) => (event.type === type ? [event as EventOf<T>] : []));
const answersOf = (action: GuardAction) =>
  eventsOf(action, "guards-spoke").map(({ findings }) => [findings[0]?.answer, findings[0]?.remedy]);
const decisionsOf = (action: GuardAction) =>
  eventsOf(action, "decision-made").map(({ decision }) => decision.decision);
const readingOf = (action: GuardAction, round: number, meter: string): number =>
  eventsOf(action, "meters-read")
    .find((event) => event.round === round)
    ?.readings.find((reading) => reading.meter === meter)?.value ?? Number.NaN;

describe("what a guard asks for is done", () => {
  test("warn: it is said, and the gate decides as it would", () => {
    expect(answersOf("warn")).toEqual([
      ["warn", undefined],
      ["warn", undefined],
    ]);
    expect(decisionsOf("warn")).toEqual(["promote", "promote"]);
    expect(eventsOf("warn", "remedies-applied")).toEqual([]);
  });

  test("stop: the round is not promoted, its gate stays shut, and the run ends", () => {
    expect(answersOf("stop")).toEqual([["stop", undefined]]);
    expect(runs.get("stop")).toMatchObject({
      outcome: "stopped-by-guard",
      championRound: 0,
      reason: expect.stringMatching(/^drift: /),
    });
    expect(eventsOf("stop", "decision-made")[0]?.decision).toMatchObject({
      decision: "reject",
      opening: null,
    });
  });

  test("roll back: the round is given up, and the next one goes on from the champion", () => {
    expect(answersOf("roll-back")[0]).toEqual(["roll-back", "lower-learning-rate"]);
    expect(decisionsOf("roll-back")[0]).toBe("roll-back");
    expect(eventsOf("roll-back", "candidate-promoted").map(({ round }) => round)).not.toContain(1);
    expect(eventsOf("roll-back", "round-started").map(({ startFrom }) => startFrom)).toEqual([
      "base",
      "base",
    ]);
    expect(runs.get("roll-back")?.outcome).toBe("rounds-spent");
  });

  test("lower the learning rate: the next round learns at half of it, and moves less", () => {
    expect(answersOf("lower-learning-rate")[0]).toEqual(["warn", "lower-learning-rate"]);
    expect(eventsOf("lower-learning-rate", "remedies-applied")).toMatchObject([
      { round: 2, learningRate: 0.5, realData: 1 },
    ]);
    const moved = (action: GuardAction): number =>
      readingOf(action, 2, "drift") - readingOf(action, 1, "drift");
    expect(readingOf("lower-learning-rate", 1, "drift")).toBe(readingOf("warn", 1, "drift"));
    expect(moved("lower-learning-rate")).toBeGreaterThan(0);
    expect(moved("lower-learning-rate")).toBeLessThan(moved("warn"));
  });

  test("add real data: the next round learns from twice its weight", () => {
    expect(answersOf("add-real-data")[0]).toEqual(["warn", "add-real-data"]);
    expect(eventsOf("add-real-data", "remedies-applied")).toMatchObject([
      { round: 2, learningRate: 1, realData: 2 },
    ]);
    expect(readingOf("add-real-data", 1, "real share")).toBe(readingOf("warn", 1, "real share"));
    expect(readingOf("add-real-data", 2, "real share")).toBeGreaterThan(readingOf("warn", 2, "real share"));
  });
});
