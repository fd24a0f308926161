import type {
  AttemptedItem,
  Attempts,
  MeterReading,
  RoundEvidence,
  TrainingEvidence,
} from "../../../foundation/contract/index.ts";

const item: AttemptedItem = {
  stratum: "s",
  judged: 16,
  right: 8,
  first: 3,
  second: 3,
  distinct: 4,
  distinctRight: 2,
  entropy: 1,
  modalShare: 0.5,
  modalRight: true,
  tokens: 10,
  drift: 0,
};

/** So many items, each made by its place; what is left out is in the middle of everything. */
export function attemptsOf(
  weightVersion: string,
  make: (place: number) => Partial<AttemptedItem> = () => ({}),
  count = 64,
): Attempts {
  const items = Array.from({ length: count }, (_, place) => ({ ...item, ...make(place) }));
  return { weightVersion, split: "validation", samples: 16, items };
}

/** A training in which nothing is wrong. */
export const goodTraining: TrainingEvidence = {
  rollouts: 1000,
  kept: 500,
  rawLabelAccuracy: 0.6,
  keptLabelAccuracy: 0.98,
  keptJudged: 500,
  keptRight: 490,
  mismatchMean: 1e-6,
  mismatchMax: 1e-5,
  mismatchMeanTolerance: 1e-4,
  mismatchTolerance: 1e-4,
  freshness: 1e-6,
  tokensSampled: 5000,
  tokensTrained: 10_000,
  realShare: 0.4,
  meanResponseTokens: 5,
  mismatchKl: 1e-8,
  right: 600,
  rightKept: 490,
  wrong: 400,
  wrongKept: 10,
  reward: { mean: 0.5, low: 0.47, high: 0.53 },
  circular: false,
  blocked: null,
};

/** A round in which nothing is wrong. */
export const goodRound: RoundEvidence = {
  round: 4,
  method: "m",
  learnsBy: "imitation",
  rewardOrigin: "self-derived",
  validation: {
    weightVersion: "candidate",
    split: "validation",
    strata: [],
    mean: 0.7,
    interval: { low: 0.68, high: 0.72 },
    frontier90: null,
    frontier50: null,
  },
  championValidation: null,
  gain: null,
  attempts: {
    base: attemptsOf("base"),
    champion: attemptsOf("champion"),
    candidate: attemptsOf("candidate"),
  },
  training: goodTraining,
  trained: { items: 100, foreign: { validation: 0, decision: 0, audit: 0 }, misnamed: 0 },
  planted: { right: 10, rightKept: 10, wrong: 30, wrongKept: 0 },
  history: [],
  promotions: [],
};

/** What meters read in an earlier round. */
export function readingsOf(
  readings: Readonly<Record<string, readonly [value: number, low: number, high: number]>>,
): MeterReading[] {
  return Object.entries(readings).map(([meter, [value, low, high]]) => ({
    meter,
    unit: "share",
    value,
    interval: { low, high },
  }));
}
