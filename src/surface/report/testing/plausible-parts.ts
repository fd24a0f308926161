import type { RandomStream } from "../../../foundation/base/index.ts";
import type {
  Decision,
  GuardFinding,
  Measurement,
  MeterReading,
  ShownSample,
  TrainingLoss,
} from "../../../foundation/contract/index.ts";

export interface PlausibleReadings {
  readonly measurement: Measurement;
  readonly raw: number;
  readonly kept: number;
  readonly round: number;
  readonly random: RandomStream;
}

/** A round's meters: some with intervals, one that cannot be measured. */
export function plausibleReadings({
  measurement,
  raw,
  kept,
  round,
  random,
}: PlausibleReadings): MeterReading[] {
  return [
    { meter: "accuracy", unit: "share", value: measurement.mean, interval: measurement.interval },
    { meter: "frontier", unit: "difficulty", value: measurement.frontier90 },
    { meter: "frontier at half", unit: "difficulty", value: measurement.frontier50 },
    { meter: "raw label accuracy", unit: "share", value: raw },
    { meter: "kept label accuracy", unit: "share", value: kept },
    { meter: "generation–verification gap", unit: "share", value: kept - raw },
    { meter: "mismatch", unit: "nats", value: 2.1e-6 + 1e-6 * random.uniform() },
    { meter: "real share", unit: "share", value: 0.62 - 0.03 * round },
    { meter: "response length", unit: "tokens", value: 9.5 + round },
    { meter: "diversity", unit: "bits", value: null, note: "greedy decoding gives one answer an item" },
  ];
}

export function plausibleFindings(kept: number, warns: boolean): GuardFinding[] {
  const share = (100 * kept).toFixed(1);
  return [
    {
      guard: "logprob mismatch",
      answer: "ok",
      evidence:
        "sampled and recomputed logprobs differ by 2.4e-6 on average and 8.4e-6 at most; the tolerance is 1e-4",
      value: 8.4e-6,
      threshold: 1e-4,
    },
    {
      guard: "sampler freshness",
      answer: "ok",
      evidence: "sampler and trainer differ by 0.0e+0 at most on probe prompts; the tolerance is 1e-4",
      value: 0,
      threshold: 1e-4,
    },
    {
      guard: "label accuracy",
      answer: kept <= 0.5 ? "stop" : warns || kept < 0.95 ? "warn" : "ok",
      evidence: `${share} % of 3931 kept labels are right (95 % interval ${Math.max(0, 100 * kept - 0.6).toFixed(1)}–${Math.min(100, 100 * kept + 0.4).toFixed(1)})`,
      value: kept,
      threshold: kept <= 0.5 ? 0.5 : 0.95,
    },
  ];
}

export interface PlausibleDecision {
  readonly round: number;
  readonly difference: number;
  readonly observe: boolean;
  readonly random: RandomStream;
}

export function plausibleDecision({ round, difference, observe, random }: PlausibleDecision): Decision {
  const alpha = (0.05 * 6) / (Math.PI ** 2 * round ** 2);
  const outcome = difference > 0.02 ? "better" : difference < 0 ? "futile" : "not-shown";
  const pairs = outcome === "not-shown" ? 4_000 : 180 + random.integer(0, 40) * 15;
  const wealth = outcome === "better" ? (1.1 + random.uniform()) / alpha : 0.2 + random.uniform();
  const points = `${difference >= 0 ? "+" : ""}${(100 * difference).toFixed(1)} points on ${pairs} pairs`;
  const reasons = {
    better: `better: ${points}, evidence ${wealth.toFixed(0)} ≥ ${(1 / alpha).toFixed(0)}`,
    futile: `no gain worth having: ${points}`,
    "not-shown": `a gain was not shown: ${points}, evidence ${wealth.toFixed(1)} < ${(1 / alpha).toFixed(0)}`,
  };
  return {
    decision: outcome === "better" ? "promote" : "reject",
    reason: reasons[outcome],
    opening: {
      opening: round,
      outcome,
      alpha,
      reused: false,
      wealth,
      futilityWealth: outcome === "futile" ? 21.7 : 0.3,
      blocks: Math.round(pairs / 15),
      pairs,
      voids: 0,
      observed: difference + 0.004 * (random.uniform() - 0.5),
    },
    acted: !observe,
  };
}

/** Falls fast, then slowly. */
export function plausibleLoss(steps: number, from: number): TrainingLoss {
  return {
    steps,
    means: Array.from({ length: 20 }, (_, point) => from * (0.04 + 0.96 * Math.exp(-point / 5))),
  };
}

/** Reversed digit strings; the model gets those right that lie within its reach. */
export function plausibleSamples(
  length: number,
  before: number | null,
  reach: number,
  random: RandomStream,
): ShownSample[] {
  return Array.from({ length: 3 }, (_, index) => {
    const digits = Array.from({ length: Math.max(2, length - 1 + index) }, () => random.integer(0, 9));
    const answer = [...digits].reverse().join("");
    const wrong = `${answer.slice(0, -2)}${answer.at(-1)}${answer.at(-2)}`;
    const solves = (ability: number): boolean => digits.length <= ability + 0.6;
    const after = solves(reach) ? answer : wrong;
    return {
      difficulty: digits.length,
      prompt: `${digits.join("")}=`,
      answer,
      before: before === null ? null : solves(before) ? answer : wrong,
      after,
      right: after === answer,
    };
  });
}
