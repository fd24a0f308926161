import { describe, expect, test } from "vitest";
import { addTallies, emptyTally, evidenceOf, tallySchema, whyNothingTaught } from "./tally.ts";

const tolerance = { logprob: 1e-4, meanLogprob: 1e-5, gradient: 1e-3 };

describe("addTallies", () => {
  test("adds what adds up, and takes the largest of what does not", () => {
    const total = addTallies([
      { rollouts: 2, mismatchSum: 0.5, mismatchCount: 4, mismatchMax: 0.3, freshness: 0.1 },
      { rollouts: 3, mismatchSum: 0.25, mismatchCount: 1, mismatchMax: 0.2, freshness: 0.4 },
      { tokensTrained: 7, realTokens: 2 },
    ]);
    expect(total).toEqual({
      ...emptyTally,
      rollouts: 5,
      mismatchSum: 0.75,
      mismatchCount: 5,
      mismatchMax: 0.3,
      freshness: 0.4,
      tokensTrained: 7,
      realTokens: 2,
    });
    expect(tallySchema.parse(JSON.parse(JSON.stringify(total)))).toEqual(total);
  });

  test("what models may differ by is the most that any of them may", () => {
    const total = addTallies([
      { mismatchTolerance: 0.5, mismatchMeanTolerance: 0.05 },
      { mismatchTolerance: 1e-4, mismatchMeanTolerance: 0.1 },
      { rollouts: 1 },
    ]);
    expect(total).toMatchObject({ mismatchTolerance: 0.5, mismatchMeanTolerance: 0.1 });
    expect(evidenceOf(total, tolerance)).toMatchObject({
      mismatchTolerance: 0.5,
      mismatchMeanTolerance: 0.1,
    });
  });

  test("of nothing is nothing: no freshness was measured", () => {
    expect(addTallies([])).toEqual(emptyTally);
    expect(addTallies([{ freshness: 0 }]).freshness).toBe(0);
  });
});

test("a tally that was stored before responses were told apart counted nothing else", () => {
  const { responseTokens: _, ...old } = { ...emptyTally, rollouts: 2, tokensSampled: 10 };
  expect(evidenceOf(tallySchema.parse(old), tolerance).meanResponseTokens).toBe(5);
});

describe("evidenceOf", () => {
  test("makes shares of sums", () => {
    const tally = {
      ...emptyTally,
      rollouts: 8,
      judged: 4,
      judgedRight: 3,
      kept: 2,
      keptJudged: 2,
      keptRight: 1,
      mismatchSum: 0.5,
      mismatchCount: 10,
      mismatchMax: 0.2,
      freshness: 0.01,
      tokensSampled: 60,
      responseTokens: 40,
      tokensTrained: 100,
      realTokens: 25,
      rightKept: 2,
      wrongKept: 1,
      rewardedItems: 2,
      rewardSum: 1,
      rewardSquares: 1,
      mismatchKlSum: 0.02,
    };
    expect(evidenceOf(tally, tolerance)).toEqual({
      rollouts: 8,
      kept: 2,
      rawLabelAccuracy: 0.75,
      keptLabelAccuracy: 0.5,
      keptJudged: 2,
      keptRight: 1,
      mismatchMean: 0.05,
      mismatchMax: 0.2,
      mismatchMeanTolerance: 1e-5,
      mismatchTolerance: 1e-4,
      freshness: 0.01,
      tokensSampled: 60,
      tokensTrained: 100,
      realShare: 0.25,
      meanResponseTokens: 5,
      mismatchKl: 0.002,
      right: 3,
      rightKept: 2,
      wrong: 1,
      wrongKept: 1,
      // Two items, one always and one never rewarded: nothing is known.
      reward: { mean: 0.5, low: 0, high: 1 },
      circular: false,
      blocked: null,
    });
  });

  test("what was not measured is null, never 0", () => {
    expect(evidenceOf(emptyTally, tolerance)).toMatchObject({
      rawLabelAccuracy: null,
      keptLabelAccuracy: null,
      mismatchMean: null,
      mismatchMax: null,
      freshness: null,
      realShare: null,
      mismatchKl: null,
      reward: null,
      meanResponseTokens: null,
    });
  });
});

test("copies are counted in the evidence, and named where none of them got better", () => {
  const tried = { ...emptyTally, rollouts: 8, trialTokensSampled: 30, trialPositionsTrained: 70 };
  expect(whyNothingTaught(tried)).toBe(
    "nothing was learnt: none of 8 edits made a copy better that was trained on it",
  );
  expect(whyNothingTaught({ ...tried, tokensTrained: 5 })).toBeNull();
  expect(evidenceOf(tried, tolerance)).toMatchObject({ trialTokensSampled: 30, trialPositionsTrained: 70 });
  expect(evidenceOf(emptyTally, tolerance)).not.toHaveProperty("trialTokensSampled");
});

test.each([
  [12, 12, "nothing was learnt: the verifier gave no verdict on 12 of 12 rollouts"],
  [
    12,
    5,
    "nothing was learnt: the verifier gave no verdict on 5 of 12 rollouts, and the others teach nothing",
  ],
])(
  "of %i rollouts %i without a verdict are why nothing was learnt, and are counted in the evidence",
  (rollouts, voidVerdicts, why) => {
    const void_ = { ...emptyTally, rollouts, groupsSkipped: 3, voidVerdicts };
    expect(whyNothingTaught(void_)).toBe(why);
    expect(whyNothingTaught({ ...void_, tokensTrained: 5 })).toBeNull();
    expect(evidenceOf(void_, tolerance)).toMatchObject({ voidVerdicts });
    expect(evidenceOf(emptyTally, tolerance)).not.toHaveProperty("voidVerdicts");
  },
);

test("rollouts without any reward are why nothing was learnt", () => {
  const unrewarded = { ...emptyTally, rollouts: 12, groupsSkipped: 3 };
  expect(whyNothingTaught(unrewarded)).toBe("nothing was learnt: none of 12 rollouts has a reward");
  expect(whyNothingTaught({ ...unrewarded, rewardedItems: 3 })).toContain("none of 3 groups has");
});

test("rollouts that were all too old are why nothing was learnt, and are counted in the evidence", () => {
  const stale = { ...emptyTally, groupsTaught: 3, rolloutsStale: 12 };
  expect(whyNothingTaught(stale)).toBe(
    "nothing was learnt: 12 rollouts are of weights that lie too far back, and no others teach",
  );
  expect(whyNothingTaught({ ...stale, tokensTrained: 5 })).toBeNull();
  expect(evidenceOf(stale, tolerance)).toMatchObject({ rolloutsStale: 12 });
  expect(evidenceOf(emptyTally, tolerance)).not.toHaveProperty("rolloutsStale");
});
