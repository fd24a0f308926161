import type {
  DifficultyScale,
  Meter,
  MeterReading,
  RoundEvidence,
} from "../../../foundation/contract/index.ts";

type Reading = ReturnType<Meter["read"]>;

const ofTraining =
  (read: (training: NonNullable<RoundEvidence["training"]>) => number | null): Meter["read"] =>
  ({ training }): Reading => ({ value: training === null ? null : read(training) });

/** The numbers tracked each round, read from validation items and from training. */
export const meters: readonly Meter[] = [
  {
    name: "accuracy",
    unit: "share",
    definition: "Mean score over the target distribution, on validation items.",
    read: ({ validation: { mean, interval } }) => ({ value: mean, interval }),
  },
  {
    name: "frontier",
    unit: "difficulty",
    definition: "Greatest difficulty such that all up to it are solved in at least 90 % of validation items.",
    read: ({ validation }) => ({ value: validation.frontier90 }),
  },
  {
    name: "frontier at half",
    unit: "difficulty",
    definition: "Greatest difficulty such that all up to it are solved in at least 50 % of validation items.",
    read: ({ validation }) => ({ value: validation.frontier50 }),
  },
  {
    name: "raw label accuracy",
    unit: "share",
    definition: "Share of the round's own answers that the task's verifier finds right, before the reward.",
    read: ofTraining(({ rawLabelAccuracy }) => rawLabelAccuracy),
  },
  {
    name: "kept label accuracy",
    unit: "share",
    definition: "The same share among what the reward kept.",
    read: ofTraining(({ keptLabelAccuracy }) => keptLabelAccuracy),
  },
  {
    name: "generation–verification gap",
    unit: "share",
    definition:
      "Mean true score of what the run's own reward keeps, minus mean true score of all (arXiv 2412.02674). Near 0, nothing is left to learn from this reward.",
    read: ofTraining(({ rawLabelAccuracy: raw, keptLabelAccuracy: kept }) =>
      raw === null || kept === null ? null : kept - raw,
    ),
  },
  {
    name: "kept share",
    unit: "share",
    definition: "Kept examples for each rollout.",
    read: ofTraining(({ rollouts, kept }) => (rollouts === 0 ? null : kept / rollouts)),
  },
  {
    name: "mismatch",
    unit: "nats",
    definition:
      "Mean absolute difference between the logprob a token was sampled with and the one the trainer computes.",
    read: ofTraining(({ mismatchMean }) => mismatchMean),
  },
  {
    name: "real share",
    unit: "share",
    definition:
      "Share of trained tokens whose lineage ends in data that no model wrote: of answers that the task, a file or a person wrote, to items that no model made. A token that any weights sampled is never one, whoever wrote what it answers.",
    read: ofTraining(({ realShare }) => realShare),
  },
  {
    name: "response length",
    unit: "tokens",
    definition: "Mean tokens of the round's own answers.",
    read: ofTraining(({ meanResponseTokens }) => meanResponseTokens),
  },
];

/** Meters that ask how far a difficulty goes. */
const needOrder = new Set(["frontier", "frontier at half"]);

/** All readings of a round; where difficulties only number kinds, there is no frontier among them. */
export function readMeters(
  evidence: RoundEvidence,
  { ordered = true }: Pick<DifficultyScale, "ordered"> = {},
): MeterReading[] {
  const read = meters.filter(({ name }) => ordered || !needOrder.has(name));
  return read.map((meter) => ({ meter: meter.name, unit: meter.unit, ...meter.read(evidence) }));
}
