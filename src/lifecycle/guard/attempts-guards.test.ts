import { describe, expect, test } from "vitest";
import {
  type AttemptedItem,
  type Guard,
  guardFindingSchema,
  type RoundEvidence,
} from "../../foundation/contract/index.ts";
import { diversityCollapse, drift, lengthDrift, majorityLockIn, speak } from "./index.ts";
import { attemptsOf, goodRound } from "./testing/evidence.ts";

type Make = (place: number) => Partial<AttemptedItem>;

const watch = (guard: Guard, candidate: Make, rest: Partial<RoundEvidence> = {}) => {
  const attempts = {
    base: attemptsOf("base"),
    champion: attemptsOf("champion"),
    candidate: attemptsOf("candidate", candidate),
  };
  const [finding] = speak([guard], { ...goodRound, attempts, ...rest });
  expect(guardFindingSchema.parse(finding)).toEqual(finding);
  return finding;
};
/** True of so many of the 64 items. */
const of =
  (count: number, then: Partial<AttemptedItem>, otherwise: Partial<AttemptedItem>): Make =>
  (place) =>
    place < count ? then : otherwise;
const narrow = { right: 16, entropy: 0.1 };

describe("diversity collapse", () => {
  test.each([
    ["some items are lost and the rest sharpens", of(16, { right: 0, entropy: 0 }, narrow), "roll-back"],
    ["few are lost: it is shown, and not yet that it is much", of(8, { right: 0 }, narrow), "warn"],
    ["nothing is lost", () => narrow, "ok"],
    ["what is lost is not made up for by anything", of(16, { right: 0, entropy: 0 }, { entropy: 0.1 }), "ok"],
    ["answers stay as different as they were", of(16, { right: 0 }, { right: 16 }), "ok"],
    ["one item is lost", of(1, { right: 0, entropy: 0 }, narrow), "ok"],
  ])("%s", (_, candidate, answer) => {
    expect(watch(diversityCollapse(), candidate)).toMatchObject({ answer, threshold: -0.05 });
  });

  test("asks for real data with the roll-back, or does what it is told", () => {
    const lost = of(16, { right: 0, entropy: 0 }, narrow);
    expect(watch(diversityCollapse(), lost)?.remedy).toBe("add-real-data");
    for (const action of ["stop", "warn"] as const) {
      const told = watch(diversityCollapse({ action }), lost);
      expect([told?.answer, told?.remedy]).toEqual([action, undefined]);
    }
    expect(watch(diversityCollapse({ action: "lower-learning-rate" }), lost)).toMatchObject({
      answer: "warn",
      remedy: "lower-learning-rate",
    });
    expect(watch(diversityCollapse({ fall: 0.5 }), lost)?.answer).toBe("warn");
    expect(() => diversityCollapse({ action: "ask" as "stop" })).toThrow(/"action"/);
  });

  test("what rounds add up to shows against the base, where the champion has it too", () => {
    const lost = of(16, { right: 0, entropy: 0 }, narrow);
    const attempts = {
      base: attemptsOf("base"),
      champion: attemptsOf("champion", lost),
      candidate: attemptsOf("candidate", lost),
    };
    expect(watch(diversityCollapse(), lost, { attempts })).toMatchObject({
      answer: "roll-back",
      evidence: expect.stringContaining("against the base"),
    });
  });

  test("has nothing to say without attempts", () => {
    expect(watch(diversityCollapse(), () => ({}), { attempts: null })).toMatchObject({
      answer: "ok",
      value: null,
    });
  });
});

describe("drift", () => {
  test.each([
    [1, 0, "ok"],
    [3, 0, "ok"],
    [3.5, 0, "roll-back"],
    // The estimate is beyond the budget, its interval is not.
    [3.5, 40, "warn"],
  ])("%d nats a token, give or take %d: %s", (nats, spread, answer) => {
    const found = watch(drift(), (place) => ({ drift: 10 * (nats + (place % 2 === 0 ? spread : -spread)) }));
    expect(found).toMatchObject({ answer, threshold: 3 });
    expect(found?.value).toBeCloseTo(nats, 9);
    expect(found?.remedy).toBe(answer === "roll-back" ? "lower-learning-rate" : undefined);
  });
});

describe("length drift", () => {
  test.each([
    [{ tokens: 14 }, "warn"],
    // A tenth more is allowed.
    [{ tokens: 10.9 }, "ok"],
    [{ tokens: 14, right: 12 }, "ok"],
    [{ tokens: 14, right: 4 }, "warn"],
    [{ tokens: 6 }, "ok"],
  ])("%o: %s", (candidate, answer) => {
    expect(watch(lengthDrift(), () => candidate)?.answer).toBe(answer);
  });

  test.each([
    [6, "ok"],
    [4, "warn"],
  ])("longer everywhere, and right for certain at %d of 64 items: %s", (righter, answer) => {
    const candidate = of(righter, { tokens: 14, right: 16 }, { tokens: 14 });
    expect(watch(lengthDrift(), candidate)?.answer).toBe(answer);
  });

  test("never stops", () => {
    expect(watch(lengthDrift(), () => ({ tokens: 1e6, right: 0 }))?.answer).toBe("warn");
  });
});

describe("majority lock-in", () => {
  const wrong = { modalShare: 1, modalRight: false };
  test.each([
    ["half of the items lock to a wrong answer", of(32, wrong, {}), "roll-back"],
    ["as many lock to a right one", of(32, wrong, { modalShare: 1 }), "warn"],
    ["more lock to a right one", of(16, wrong, { modalShare: 1 }), "warn"],
    ["one item does", of(1, wrong, {}), "ok"],
    ["answers agree and are right", () => ({ modalShare: 1 }), "ok"],
  ])("%s", (_, candidate, answer) => {
    expect(watch(majorityLockIn(), candidate)?.answer).toBe(answer);
  });

  test("is about rewards that the model derives from itself", () => {
    expect(watch(majorityLockIn(), () => wrong, { rewardOrigin: "external" })).toMatchObject({
      answer: "ok",
      value: null,
    });
  });
});
