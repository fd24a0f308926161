import { expect, test } from "vitest";
import type { AttemptedItem, Attempts, RoundEvidence } from "../../../foundation/contract/index.ts";
import { meterReadingSchema } from "../../../foundation/contract/index.ts";
import { exactInterval } from "../../../foundation/statistics/index.ts";
import { emptyTally, evidenceOf } from "../../../gro/method/tally.ts";
import { meters, readBaseMeters, readMeters } from "./meters.ts";

const tolerance = { logprob: 1e-4, meanLogprob: 1e-4, gradient: 1e-4 };
const item: AttemptedItem = {
  stratum: "s",
  judged: 16,
  right: 0,
  first: 0,
  second: 0,
  distinct: 1,
  distinctRight: 0,
  entropy: 0,
  modalShare: 1,
  modalRight: true,
  tokens: 4,
  drift: 0,
};
function attemptsOf(weightVersion: string, items: readonly Partial<AttemptedItem>[]): Attempts {
  return {
    weightVersion,
    split: "validation",
    samples: 16,
    items: items.map((rest) => ({ ...item, ...rest })),
  };
}

const evidence: RoundEvidence = {
  round: 2,
  method: "rejection sampling",
  learnsBy: "imitation",
  validation: {
    weightVersion: "v",
    split: "validation",
    strata: [],
    mean: 0.75,
    interval: { low: 0.7, high: 0.8 },
    frontier90: 9,
    frontier50: 11,
  },
  championValidation: null,
  gain: null,
  attempts: {
    base: attemptsOf("base", [{ right: 4 }, { right: 0 }]),
    champion: attemptsOf("champion", [
      { right: 16, first: 5, second: 4 },
      { right: 12, first: 4, second: 3 },
    ]),
    candidate: attemptsOf("candidate", [
      { right: 16, first: 5, second: 5, distinctRight: 1 },
      { right: 8, first: 2, second: 3, entropy: 1, distinct: 3, distinctRight: 2, tokens: 6, drift: 3 },
    ]),
  },
  rewardOrigin: "self-derived",
  trained: null,
  planted: null,
  training: evidenceOf(
    {
      ...emptyTally,
      rollouts: 10,
      judged: 10,
      judgedRight: 6,
      kept: 4,
      keptJudged: 4,
      keptRight: 3,
      mismatchSum: 2e-6,
      mismatchCount: 2,
      tokensSampled: 70,
      responseTokens: 50,
      tokensTrained: 100,
      realTokens: 40,
      rightKept: 3,
      wrongKept: 1,
      rewardedItems: 2,
      rewardSum: 1.2,
      rewardSquares: 0.8,
      mismatchMax: 3e-6,
      mismatchKlSum: 4e-6,
    },
    tolerance,
  ),
  history: [],
  promotions: [],
};
const valuesOf = (given: RoundEvidence) =>
  Object.fromEntries(readMeters(given).map(({ meter, value }) => [meter, value]));

test("meters read what they say they read", () => {
  expect(valuesOf(evidence)).toEqual({
    accuracy: 0.75,
    frontier: 9,
    "frontier at half": 11,
    stability: 0.5,
    "pass@1": 0.75,
    "pass@k": 1,
    "pass@k against the base": 0.5,
    "training reward": 0.6,
    "reward less held-out score": expect.closeTo(-0.15, 12),
    "right answers kept": 0.5,
    "wrong answers kept": 0.25,
    "canaries misjudged": null,
    refusals: null,
    "refusals against the base": null,
    "raw label accuracy": 0.6,
    "kept label accuracy": 0.75,
    "generation–verification gap": expect.closeTo(0.15, 12),
    "relative gap": expect.closeTo(0.375, 12),
    "kept share": 0.4,
    "answer entropy": 0.5,
    "distinct answers": 2,
    coverage: 1.5,
    "locked to a wrong answer": 0,
    "length at validation": 5,
    mismatch: 1e-6,
    "largest mismatch": 3e-6,
    "mismatch KL": 2e-6,
    drift: 0.25,
    "real share": 0.4,
    "response length": 5,
  });
  expect(readMeters(evidence)[0]?.interval).toEqual({ low: 0.7, high: 0.8 });
});

test("what was not measured is null, and every reading can be stored", () => {
  const silent = { ...evidence, attempts: null, training: evidenceOf(emptyTally, tolerance) };
  const untrained = { ...evidence, attempts: null, training: null };
  for (const given of [evidence, silent, untrained])
    for (const reading of readMeters(given)) expect(meterReadingSchema.parse(reading)).toEqual(reading);
  for (const given of [silent, untrained]) {
    const { accuracy, frontier, "frontier at half": half, ...training } = valuesOf(given);
    expect([accuracy, frontier, half]).toEqual([0.75, 9, 11]);
    expect(new Set(Object.values(training))).toEqual(new Set([null]));
  }
});

test("every meter has a definition and a name of its own", () => {
  expect(new Set(meters.map(({ name }) => name)).size).toBe(meters.length);
  for (const { definition } of meters) expect(definition).toMatch(/\.$/);
});

test("of the base its attempts are read, under the names of the rounds", () => {
  const readings = readBaseMeters(attemptsOf("base", [{ right: 4 }, { right: 0 }]));
  const names = new Set(meters.map(({ name }) => name));
  for (const reading of readings) {
    expect(names).toContain(reading.meter);
    expect(meterReadingSchema.parse(reading)).toEqual(reading);
  }
  expect(readings.find(({ meter }) => meter === "pass@k")).toMatchObject({ value: 0.5, unit: "share" });
});

test("of a single item there is a value and, where it may lie anywhere, no interval", () => {
  const readings = readBaseMeters(attemptsOf("base", [{ right: 4 }]));
  for (const reading of readings) expect(meterReadingSchema.parse(reading)).toEqual(reading);
  expect(readings.find(({ meter }) => meter === "length at validation")).not.toHaveProperty("interval");
});

test("where the reward is the only judge of truth, what it keeps is not measurable", () => {
  const circular = evidenceOf({ ...emptyTally, judged: 2, judgedRight: 1 }, tolerance, { circular: true });
  const readings = readMeters({ ...evidence, training: circular });
  expect(readings.find(({ meter }) => meter === "wrong answers kept")).toMatchObject({
    value: null,
    note: expect.stringContaining("not measurable"),
  });
});

test("canaries and refusals are metered by what was judged", () => {
  const planted = { right: 10, rightKept: 9, wrong: 30, wrongKept: 3 };
  const refusals = {
    candidate: { weightVersion: "candidate", refused: [true, false, false, null] },
    base: { weightVersion: "base", refused: [true, true, null, true] },
  };
  const readings = new Map(
    readMeters({ ...evidence, planted, refusals }).map((reading) => [reading.meter, reading]),
  );
  expect(readings.get("canaries misjudged")?.value).toBe(0.1);
  expect(readings.get("refusals")).toMatchObject({ value: 1 / 3, interval: exactInterval(1, 3) });
  // Two prompts were judged of both.
  expect(readings.get("refusals against the base")?.value).toBe(-0.5);
  expect(readBaseMeters(null, refusals.base)).toMatchObject([{ meter: "refusals", value: 1 }]);
  const unjudged = {
    ...refusals,
    candidate: { weightVersion: "candidate", refused: [null, null, null, null] },
  };
  const silent = readMeters({ ...evidence, refusals: unjudged }).filter(({ meter }) =>
    meter.startsWith("refusals"),
  );
  expect(silent).toMatchObject([
    { value: null, note: "no answer could be judged" },
    { value: null, note: "no answer could be judged" },
  ]);
});
