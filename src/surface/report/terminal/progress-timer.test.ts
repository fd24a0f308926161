import { describe, expect, test } from "vitest";
import type { Progress } from "../../../foundation/contract/index.ts";
import { progressTimer } from "./progress-timer.ts";

const at = (done: number, total = 100, part: Partial<Progress> = {}): Progress => ({
  type: "progress",
  stage: "optimize",
  label: "train",
  done,
  total,
  ...part,
});

test("remaining time comes from what was seen, not from what was done before", () => {
  const timer = progressTimer();
  timer.hear(at(50), 10_000);
  timer.hear(at(60), 12_000);
  expect(timer.view(12_000)).toMatchObject({
    share: 0.6,
    elapsedSeconds: 2,
    remainingSeconds: 8,
    long: true,
  });
});

test("of work whose end is not known there are words, and no bar", () => {
  const timer = progressTimer();
  timer.hear(at(0, 0, { label: "solver: 500 steps" }), 0);
  expect(timer.view(60_000)).toMatchObject({
    label: "solver: 500 steps",
    long: false,
    remainingSeconds: null,
  });
});

test("what is done within two seconds gets no bar", () => {
  const timer = progressTimer();
  timer.hear(at(0), 0);
  timer.hear(at(50), 600);
  expect(timer.view(600)?.long).toBe(false);
  timer.hear(at(51), 1_500);
  expect(timer.view(1_500)?.long).toBe(true);
});

test("no rate is told from the first moments, nor from a few unlike steps", () => {
  const timer = progressTimer();
  timer.hear(at(0), 0);
  timer.hear(at(1), 100);
  expect(timer.view(100)?.remainingSeconds).toBeNull();
  timer.hear(at(1, 5, { stage: "set-up" }), 0);
  timer.hear(at(2, 5, { stage: "set-up" }), 60_000);
  expect(timer.view(60_000)).toMatchObject({ remainingSeconds: null, long: true });
});

describe("two streams that report in turn", () => {
  test("never move the bar back", () => {
    const timer = progressTimer();
    for (const [done, now] of [
      [10, 0],
      [40, 1_000],
      [20, 1_100],
      [50, 2_000],
    ] as const)
      timer.hear(at(done), now);
    expect(timer.view(2_000)).toMatchObject({ share: 0.5, remainingSeconds: 2.5 });
    timer.hear(at(30), 2_100);
    expect(timer.view(2_100)?.share).toBe(0.5);
  });

  test("what is done and begins again is new work", () => {
    const timer = progressTimer();
    timer.hear(at(0), 0);
    timer.hear(at(100), 5_000);
    timer.hear(at(1), 6_000);
    expect(timer.view(6_000)).toMatchObject({ share: 0.01, elapsedSeconds: 0 });
  });
});

test("another label is new work; in set-up it is not", () => {
  const timer = progressTimer();
  timer.hear(at(10), 0);
  timer.hear(at(20, 100, { label: "answer" }), 3_000);
  expect(timer.view(3_000)?.elapsedSeconds).toBe(0);
  timer.hear(at(1, 5, { stage: "set-up", label: "finding torch" }), 0);
  timer.hear(at(1, 5, { stage: "set-up", label: "downloading torch" }), 3_000);
  expect(timer.view(3_000)).toMatchObject({ elapsedSeconds: 3, label: "downloading torch" });
});

test("nothing is known of nothing", () => {
  const timer = progressTimer();
  expect(timer.view(0)).toBeNull();
  timer.hear(at(1), 0);
  timer.forget();
  expect(timer.view(1_000)).toBeNull();
});
