import { describe, expect, test } from "vitest";
import {
  type Guard,
  guardFindingSchema,
  type RoundEvidence,
  type TrainingEvidence,
} from "../../foundation/contract/index.ts";
import { emptyTally, evidenceOf } from "../../gro/method/tally.ts";
import { defaults, labelAccuracy, logprobMismatch, samplerFreshness, speak } from "./index.ts";

const tolerance = { logprob: 1e-4, meanLogprob: 1e-4, gradient: 1e-4 };

const watch = (
  guard: Guard,
  training: Partial<TrainingEvidence> | null,
  learnsBy: RoundEvidence["learnsBy"] = "imitation",
) => {
  const evidence = {
    round: 1,
    method: "m",
    learnsBy,
    validation: {} as RoundEvidence["validation"],
    championValidation: null,
    gain: null,
    attempts: null,
    rewardOrigin: "self-derived" as const,
    trained: null,
    planted: null,
    training: training === null ? null : { ...evidenceOf(emptyTally, tolerance), ...training },
    history: [],
    promotions: [],
  };
  const [finding] = speak([guard], evidence);
  expect(guardFindingSchema.parse(finding)).toEqual(finding);
  return finding;
};

describe("logprobMismatch", () => {
  test.each([
    [1e-5, 5e-5, "ok"],
    [1e-4, 1e-4, "ok"],
    [5e-5, 2e-4, "warn"],
    [2e-4, 2e-4, "stop"],
    [1e6, 1e6, "stop"],
  ])("mean %d, largest %d: %s", (mismatchMean, mismatchMax, answer) => {
    const finding = watch(logprobMismatch(), { mismatchMean, mismatchMax });
    expect(finding).toMatchObject({ answer, value: mismatchMax, threshold: 1e-4 });
    expect(finding?.evidence).toContain("the tolerance is 1e-4");
  });

  test("an engine may allow less on average than of any one", () => {
    const rough = { mismatchMeanTolerance: 0.1, mismatchTolerance: 1 };
    const answerTo = (mismatchMean: number, mismatchMax: number) =>
      watch(logprobMismatch(), { mismatchMean, mismatchMax, ...rough });
    expect(answerTo(0.04, 0.5)?.answer).toBe("ok");
    expect(answerTo(0.04, 1.5)?.answer).toBe("warn");
    expect(answerTo(0.2, 0.5)).toMatchObject({
      answer: "stop",
      evidence: expect.stringContaining("1e-1 and 1e+0 are allowed"),
    });
  });

  test("says so where nothing was sampled", () => {
    for (const training of [null, {}])
      expect(watch(logprobMismatch(), training)).toMatchObject({
        answer: "ok",
        evidence: "nothing was sampled",
      });
  });
});

describe("samplerFreshness", () => {
  test.each([
    [0, "ok"],
    [1e-4, "ok"],
    [1.1e-4, "stop"],
  ])("a difference of %d: %s", (freshness, answer) => {
    expect(watch(samplerFreshness(), { freshness })).toMatchObject({
      answer,
      value: freshness,
      threshold: 1e-4,
    });
  });

  test("says so where nothing was sampled", () => {
    for (const training of [null, {}])
      expect(watch(samplerFreshness(), training)).toMatchObject({ answer: "ok", value: null });
  });
});

describe("labelAccuracy", () => {
  test.each([
    [1000, 1000, "ok"],
    [1000, 965, "ok"],
    // Few labels that are all right are no reason to warn, though their interval is wide.
    [16, 16, "ok"],
    [1000, 955, "ok"],
    [1000, 945, "warn"],
    [1000, 520, "warn"],
    // 450 of 1,000 may well be less than half: the interval ends at .4815.
    [1000, 450, "stop"],
    // 4 of 10 may still be more than half.
    [10, 4, "warn"],
    [10, 0, "stop"],
  ])("of %d kept labels %d are right: %s", (keptJudged, keptRight, answer) => {
    const finding = watch(labelAccuracy(), { keptJudged, keptRight });
    expect(finding).toMatchObject({ answer, value: keptRight / keptJudged });
    expect(finding?.threshold).toBe(answer === "stop" ? 0.5 : 0.95);
  });

  test("warns where it is told to", () => {
    const training = { keptJudged: 1000, keptRight: 945 };
    expect(watch(labelAccuracy({ warnBelow: 0.9 }), training)).toMatchObject({
      answer: "ok",
      threshold: 0.9,
    });
    expect(() => labelAccuracy({ warnBelow: 2 })).toThrow(/"warnBelow"/);
    expect(labelAccuracy({ warnBelow: 0.9 }).description).toEqual({ warnBelow: 0.9 });
  });

  test("has nothing to say of no labels, and of policy gradients", () => {
    const wrong = { keptJudged: 100, keptRight: 0 };
    expect(watch(labelAccuracy(), {})).toMatchObject({ answer: "ok", evidence: "no label was kept" });
    expect(watch(labelAccuracy(), null)).toMatchObject({ answer: "ok" });
    expect(watch(labelAccuracy(), wrong, "policy-gradient")).toMatchObject({ answer: "ok", value: null });
  });
});

test("a run that names no guard has all of them, first those that keep a step from being made", () => {
  expect(defaults().map(({ name }) => name)).toEqual([
    "logprob mismatch",
    "sampler freshness",
    "item identity",
    "verifier integrity",
    "label accuracy",
    "reward hacking",
    "diversity collapse",
    "majority lock-in",
    "drift",
    "length drift",
    "real-data floor",
    "gap closed",
    "learnable proposals",
  ]);
});
