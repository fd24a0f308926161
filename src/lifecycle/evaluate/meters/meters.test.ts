import { expect, test } from "vitest";
import type { RoundEvidence } from "../../../foundation/contract/index.ts";
import { meterReadingSchema } from "../../../foundation/contract/index.ts";
import { emptyTally, evidenceOf } from "../../../gro/method/tally.ts";
import { meters, readMeters } from "./meters.ts";

const tolerance = { logprob: 1e-4, meanLogprob: 1e-4, gradient: 1e-4 };
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
      tokensSampled: 50,
      tokensTrained: 100,
      realTokens: 40,
    },
    tolerance,
  ),
  history: [],
};
const valuesOf = (given: RoundEvidence) =>
  Object.fromEntries(readMeters(given).map(({ meter, value }) => [meter, value]));

test("meters read what they say they read", () => {
  expect(valuesOf(evidence)).toEqual({
    accuracy: 0.75,
    frontier: 9,
    "frontier at half": 11,
    "raw label accuracy": 0.6,
    "kept label accuracy": 0.75,
    "generation–verification gap": expect.closeTo(0.15, 12),
    "kept share": 0.4,
    mismatch: 1e-6,
    "real share": 0.4,
    "response length": 5,
  });
  expect(readMeters(evidence)[0]?.interval).toEqual({ low: 0.7, high: 0.8 });
});

test("what was not measured is null, and every reading can be stored", () => {
  const silent = { ...evidence, training: evidenceOf(emptyTally, tolerance) };
  const untrained = { ...evidence, training: null };
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
