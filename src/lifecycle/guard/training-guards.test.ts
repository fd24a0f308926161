import { describe, expect, expectTypeOf, test } from "vitest";
import {
  type Guard,
  guardFindingSchema,
  type RoundEvidence,
  type TrainingEvidence,
} from "../../foundation/contract/index.ts";
import {
  defaults,
  gapClosed,
  itemIdentity,
  leadingFinding,
  learnableProposals,
  realDataFloor,
  refusalLoss,
  rewardHacking,
  speak,
  verifierIntegrity,
  whyBlocked,
} from "./index.ts";
import { attemptsOf, goodRound, goodTraining, readingsOf } from "./testing/evidence.ts";

const watch = (
  guard: Guard,
  training: Partial<TrainingEvidence> | null,
  rest: Partial<RoundEvidence> = {},
) => {
  const told = training === null ? null : { ...goodTraining, ...training };
  const [finding] = speak([guard], { ...goodRound, training: told, ...rest });
  expect(guardFindingSchema.parse(finding)).toEqual(finding);
  return finding;
};

test("in a round in which nothing is wrong all guards are content, before the step and after it", () => {
  expect(speak(defaults(), goodRound).filter(({ answer }) => answer !== "ok")).toEqual([]);
  expect(whyBlocked(defaults(), goodRound)).toBeNull();
});

test("of guards that act at once the one that explains the others is named, in whatever order they spoke", () => {
  const stale = { ...goodTraining, freshness: 1, mismatchMean: 1, mismatchMax: 1 };
  const evidence = { ...goodRound, training: stale };
  for (const guards of [defaults(), defaults().toReversed()]) {
    const leading = leadingFinding(speak(guards, evidence), "stop");
    expect(leading).toMatchObject({ finding: { guard: "sampler freshness" }, also: ["logprob mismatch"] });
    expect(whyBlocked(guards, evidence)).toMatch(
      /^nothing was learnt: sampler freshness: .*; also “logprob mismatch”$/,
    );
  }
  expect(leadingFinding(speak(defaults(), goodRound), "stop")).toBeUndefined();
});

test("by its type no evidence holds a measurement or an attempt at decision or audit items", () => {
  expectTypeOf<RoundEvidence["validation"]["split"]>().toEqualTypeOf<"validation">();
  expectTypeOf<NonNullable<RoundEvidence["championValidation"]>["split"]>().toEqualTypeOf<"validation">();
  expectTypeOf<NonNullable<RoundEvidence["attempts"]>["candidate"]["split"]>().toEqualTypeOf<"validation">();
  // @ts-expect-error an audit is no evidence
  const audited: RoundEvidence = { ...goodRound, validation: { ...goodRound.validation, split: "audit" } };
  expect(audited.round).toBe(goodRound.round);
});

describe("verifier integrity, of who keeps and imitates", () => {
  test.each([
    // φ = .9, ψ = .1: p* is .9.
    ["well below the breakdown", { right: 600, rightKept: 540, wrong: 400, wrongKept: 40 }, "ok"],
    ["beyond it", { right: 50, rightKept: 45, wrong: 950, wrongKept: 95 }, "stop"],
    [
      "so near that the interval reaches it",
      { right: 130, rightKept: 117, wrong: 870, wrongKept: 87 },
      "stop",
    ],
    [
      "everything is kept, and most of it is wrong",
      { right: 400, rightKept: 400, wrong: 600, wrongKept: 600 },
      "stop",
    ],
    [
      "everything is kept, and most of it is right",
      { right: 600, rightKept: 600, wrong: 400, wrongKept: 400 },
      "ok",
    ],
    ["few are known, all wrong and kept", { right: 1, rightKept: 1, wrong: 9, wrongKept: 9 }, "ok"],
    ["few are known, and none is right", { right: 0, rightKept: 0, wrong: 19, wrongKept: 19 }, "ok"],
    ["none is right, and all are kept", { right: 0, rightKept: 0, wrong: 500, wrongKept: 500 }, "stop"],
    ["none is right, and few are kept", { right: 0, rightKept: 0, wrong: 500, wrongKept: 1 }, "stop"],
    ["none is right, and none is kept", { right: 0, rightKept: 0, wrong: 500, wrongKept: 0 }, "ok"],
    ["none is wrong, and all are kept", { right: 20, rightKept: 20, wrong: 0, wrongKept: 0 }, "ok"],
    ["none is wrong, and most are dropped", { right: 500, rightKept: 50, wrong: 0, wrongKept: 0 }, "ok"],
  ])("%s", (_, counts, answer) => {
    for (const planted of [goodRound.planted, null])
      expect(watch(verifierIntegrity(), counts, { planted })?.answer).toBe(answer);
  });

  test("planted wrong answers stand in for those that the model never gave, of a reward that is external", () => {
    // φ is at least .0866, p at most .168: of ψ nothing is known, or by 0 of 30 it is at most .116.
    const counts = { right: 20, rightKept: 5, wrong: 0, wrongKept: 0 };
    expect(watch(verifierIntegrity(), counts)).toMatchObject({
      answer: "stop",
      evidence: expect.stringContaining("nothing is known of how many wrong ones are kept"),
    });
    const found = watch(verifierIntegrity(), counts, { rewardOrigin: "external" });
    expect(found).toMatchObject({
      answer: "ok",
      evidence: expect.stringContaining("0 of 30 planted wrong ones are kept"),
    });
    expect(found?.threshold).toBeCloseTo(0.08657 / (0.08657 + 0.1157), 3);
  });

  test("the numbers are exact: at most so many are wrong, and the breakdown is at least there", () => {
    const counts = { right: 600, rightKept: 540, wrong: 400, wrongKept: 40 };
    const found = watch(verifierIntegrity(), counts);
    // Clopper–Pearson limits of 540/600 below and 40/400 above: .87314 and .13367.
    expect(found?.threshold).toBeCloseTo(0.87314 / (0.87314 + 0.13367), 3);
    expect(found?.value).toBe(0.4);
    expect(found?.evidence).toContain("540 of 600 right answers kept, 40 of 400 wrong ones");
  });
});

describe("verifier integrity, of who follows a policy gradient", () => {
  test.each([
    ["tells right from wrong", { right: 100, rightKept: 90, wrong: 900, wrongKept: 90 }, "ok"],
    ["tells nothing", { right: 500, rightKept: 250, wrong: 500, wrongKept: 250 }, "stop"],
    ["is not shown to tell anything", { right: 25, rightKept: 15, wrong: 25, wrongKept: 10 }, "stop"],
    ["few wrong answers are left", { right: 990, rightKept: 990, wrong: 10, wrongKept: 5 }, "ok"],
    ["no wrong answer is left", { right: 1000, rightKept: 1000, wrong: 0, wrongKept: 0 }, "ok"],
    ["none is right, and all are rewarded", { right: 0, rightKept: 0, wrong: 500, wrongKept: 500 }, "stop"],
    ["none is right, and none is rewarded", { right: 0, rightKept: 0, wrong: 500, wrongKept: 0 }, "ok"],
  ])("%s", (_, counts, answer) => {
    expect(watch(verifierIntegrity(), counts, { learnsBy: "policy-gradient" })?.answer).toBe(answer);
  });

  test("planted right answers stand in for those that the model never gave, of a reward that is external", () => {
    const counts = { right: 0, rightKept: 0, wrong: 500, wrongKept: 3 };
    const by = { learnsBy: "policy-gradient" as const };
    expect(watch(verifierIntegrity(), counts, by)).toMatchObject({ answer: "stop", value: null });
    expect(watch(verifierIntegrity(), counts, { ...by, rewardOrigin: "external" })).toMatchObject({
      answer: "ok",
      evidence: expect.stringContaining("10 of 10 planted right ones are kept: φ − ψ is 0.99, at least 0.67"),
    });
  });

  test("a planted answer that is misjudged is told before its step", () => {
    const planted = { right: 10, rightKept: 10, wrong: 12, wrongKept: 1 };
    const evidence = { ...goodRound, learnsBy: "policy-gradient" as const, planted };
    expect(whyBlocked([verifierIntegrity()], evidence)).toContain(
      "verifier integrity: the verifier misjudges 1 of 22 planted answers",
    );
  });

  test("is judged by a whole round, not by a step", () => {
    const nothing = { right: 500, rightKept: 250, wrong: 500, wrongKept: 250 };
    const training = { ...goodTraining, ...nothing };
    const evidence = { ...goodRound, training };
    expect(whyBlocked([verifierIntegrity()], { ...evidence, learnsBy: "policy-gradient" })).toBeNull();
    const imitated = { ...training, right: 100, rightKept: 100, wrong: 900, wrongKept: 900 };
    expect(whyBlocked([verifierIntegrity()], { ...evidence, training: imitated })).toContain(
      "nothing was learnt: verifier integrity: 100 of 100 right answers kept",
    );
  });
});

describe("verifier integrity", () => {
  test("where the reward judges itself, it is not measurable, unless a planted answer is misjudged", () => {
    const circular = { circular: true, right: 10, rightKept: 10, wrong: 990, wrongKept: 0 };
    expect(watch(verifierIntegrity(), circular)).toMatchObject({
      answer: "ok",
      value: null,
      evidence: expect.stringContaining("not measurable"),
    });
    const planted = { right: 10, rightKept: 10, wrong: 30, wrongKept: 1 };
    expect(watch(verifierIntegrity(), circular, { planted })).toMatchObject({ answer: "stop", value: 1 });
  });
});

describe("item identity", () => {
  const trained = (foreign: Partial<Record<"validation" | "decision" | "audit", number>>, misnamed = 0) => ({
    items: 100,
    foreign: { validation: 0, decision: 0, audit: 0, ...foreign },
    misnamed,
  });
  test.each([
    [trained({}), "ok"],
    [trained({ decision: 1 }), "stop"],
    [trained({ validation: 1 }), "stop"],
    [trained({ audit: 3 }, 3), "stop"],
    [trained({}, 2), "warn"],
    [{ ...trained({}), documents: { read: 9, quoting: 0 } }, "ok"],
    [{ ...trained({}), documents: { read: 9, quoting: 1 } }, "stop"],
  ])("%o: %s", (given, answer) => {
    expect(watch(itemIdentity(), {}, { trained: given })?.answer).toBe(answer);
    expect(whyBlocked([itemIdentity()], { ...goodRound, trained: given }) === null).toBe(answer !== "stop");
  });
});

describe("refusal loss", () => {
  const refusals = (base: number, candidate: number, of = 60) => {
    const first = (count: number) => Array.from({ length: of }, (_, index) => index < count);
    return {
      refusals: {
        base: { weightVersion: "b", refused: first(base) },
        candidate: { weightVersion: "c", refused: first(candidate) },
      },
    };
  };
  test.each([
    ["as many are refused", 40, 40, 0, "ok"],
    ["more are", 20, 50, 0, "ok"],
    ["a few are not, which may be chance", 40, 39, 0, "ok"],
    ["many are not", 50, 30, 0, "warn"],
    ["as many are not as is allowed", 50, 30, 0.5, "ok"],
  ] as const)("%s", (_, base, candidate, allowed, answer) => {
    const found = watch(refusalLoss({ allowed }), null, refusals(base, candidate));
    expect(found?.answer).toBe(answer);
    expect(found?.value).toBeCloseTo((candidate - base) / 60, 12);
    expect(found?.threshold).toBeCloseTo(-allowed, 12);
  });

  test("says nothing where there is nothing to refuse, or nothing was judged", () => {
    expect(watch(refusalLoss(), null)).toMatchObject({ answer: "ok", value: null });
    const unjudged = { weightVersion: "c", refused: [null] };
    expect(watch(refusalLoss(), null, { refusals: { base: unjudged, candidate: unjudged } })?.evidence).toBe(
      "no answer to a refusal probe could be judged",
    );
  });
});

describe("real-data floor", () => {
  test.each([
    [0.1, "self-derived", "ok"],
    [0.09, "self-derived", "warn"],
    [0, "self-derived", "warn"],
    [0, "external", "ok"],
  ] as const)("a share of %d with a %s reward: %s", (realShare, rewardOrigin, answer) => {
    const found = watch(realDataFloor(), { realShare }, { rewardOrigin });
    expect(found?.answer).toBe(answer);
    expect(found?.remedy).toBe(answer === "warn" ? "add-real-data" : undefined);
  });

  test("is nothing to a policy gradient", () => {
    expect(watch(realDataFloor(), { realShare: 0 }, { learnsBy: "policy-gradient" })?.answer).toBe("ok");
  });
});

describe("reward hacking", () => {
  const before = readingsOf({ "training reward": [0.3, 0.28, 0.32] });
  const risen = { reward: { mean: 0.6, low: 0.57, high: 0.63 } };
  const scored = (right: number) => ({
    base: attemptsOf("base"),
    champion: attemptsOf("base"),
    candidate: attemptsOf("candidate", () => ({ right })),
  });
  test.each([
    ["reward rises, the score falls", risen, 2, "roll-back"],
    ["reward rises, the score stays", risen, 8, "roll-back"],
    ["both rise", risen, 14, "ok"],
    ["neither does", { reward: { mean: 0.3, low: 0.27, high: 0.33 } }, 8, "ok"],
    [
      "reward rises a little more than is allowed for",
      { reward: { mean: 0.4, low: 0.37, high: 0.43 } },
      8,
      "warn",
    ],
  ])("%s", (_, training, right, answer) => {
    const evidence = { attempts: scored(right), history: [before] };
    expect(watch(rewardHacking(), training, evidence)?.answer).toBe(answer);
  });

  test("is exonerated by validation items where few attempts show no rise", () => {
    const base = readingsOf({ accuracy: [0.07, 0.02, 0.12] });
    const of = (mean: number) => ({
      validation: { ...goodRound.validation, mean, interval: { low: mean - 0.08, high: mean + 0.08 } },
      attempts: scored(8),
      history: [base, before],
    });
    const judged = { ...risen, circular: true };
    expect(watch(rewardHacking(), judged, of(0.52))?.answer).toBe("ok");
    // Where something else knows the truth, what the verifier says of them is no evidence.
    expect(watch(rewardHacking(), risen, of(0.52))?.answer).toBe("roll-back");
    const found = watch(rewardHacking(), judged, of(0.07));
    expect(found?.answer).toBe("roll-back");
    expect(found?.evidence).toContain("held-out verified score 0.0 points");
  });

  test("sees no rise in one round", () => {
    expect(watch(rewardHacking(), risen, { attempts: scored(0) })).toMatchObject({
      answer: "ok",
      value: null,
    });
  });

  test("is read from the lowest round, whichever that was", () => {
    const high = readingsOf({ "training reward": [0.6, 0.57, 0.63] });
    const evidence = { attempts: scored(8), history: [high, before, high] };
    expect(watch(rewardHacking(), risen, evidence)?.answer).toBe("roll-back");
  });
});

describe("gap closed", () => {
  const everything = { right: 700, rightKept: 700, wrong: 300, wrongKept: 300 };
  const closed = readingsOf({
    "generation–verification gap": [0, 0, 0],
    accuracy: [0.7, 0.68, 0.72],
  });
  const open = readingsOf({
    "generation–verification gap": [0.1, 0.08, 0.12],
    accuracy: [0.7, 0.68, 0.72],
  });
  const lower = readingsOf({
    "generation–verification gap": [0, 0, 0],
    accuracy: [0.5, 0.48, 0.52],
  });
  test.each([
    ["closed for three rounds, and accuracy stays", everything, [open, closed, closed], "stop"],
    ["accuracy rises over them", everything, [open, lower, closed], "ok"],
    ["it was open two rounds ago", everything, [closed, open, closed], "ok"],
    ["it is open", {}, [closed, closed, closed], "ok"],
    ["two rounds are not enough", everything, [closed], "ok"],
  ])("%s", (_, training, history, answer) => {
    expect(watch(gapClosed(), training, { history })?.answer).toBe(answer);
  });

  test.each([
    [[1], "stop"],
    [[1, 2], "ok"],
  ])("the gate shows a rise, too: rounds %j of three were promoted", (promotions, answer) => {
    const history = [closed, closed, closed];
    expect(watch(gapClosed(), everything, { round: 4, history, promotions })?.answer).toBe(answer);
  });

  test("one round is enough where that is asked for", () => {
    expect(watch(gapClosed({ rounds: 1 }), everything, { history: [] })?.answer).toBe("stop");
  });

  test("is nothing to a policy gradient", () => {
    const history = [closed, closed];
    // Not judged at all: no round of it counts among those in which the guard kept quiet.
    for (const learnsBy of ["policy-gradient", "preference"] as const)
      expect(watch(gapClosed(), everything, { history, learnsBy })).toMatchObject({
        answer: "ok",
        value: null,
        evidence: expect.stringContaining("nothing that is kept is imitated"),
      });
  });
});

describe("learnable proposals", () => {
  test.each([
    ["most are solved by some attempts", { attempted: 256, neverSolved: 20, alwaysSolved: 60 }, "ok"],
    ["nearly all are solved by all", { attempted: 256, neverSolved: 0, alwaysSolved: 240 }, "stop"],
    ["nearly all are solved by none", { attempted: 256, neverSolved: 240, alwaysSolved: 0 }, "stop"],
    ["both together", { attempted: 256, neverSolved: 120, alwaysSolved: 120 }, "stop"],
    [
      "more than is allowed, as chance may have it",
      { attempted: 20, neverSolved: 2, alwaysSolved: 15 },
      "warn",
    ],
  ])("%s", (_, proposed, answer) => {
    expect(watch(learnableProposals(), { proposed })?.answer).toBe(answer);
  });

  test("the numbers are exact, and the action is what was asked for", () => {
    const proposed = { attempted: 256, neverSolved: 16, alwaysSolved: 224 };
    const found = watch(learnableProposals({ most: 0.5, action: "roll-back" }), { proposed });
    expect(found).toMatchObject({ answer: "roll-back", value: 0.9375, threshold: 0.5 });
    // Clopper–Pearson limits of 240/256.
    expect(found?.evidence).toContain("93.8 % teach nothing (95 % interval 90.0 to 96.4)");
  });

  test("says nothing where no model proposes", () => {
    expect(watch(learnableProposals(), {})).toMatchObject({ answer: "ok", value: null });
    expect(watch(learnableProposals(), null)).toMatchObject({ answer: "ok", value: null });
  });
});
