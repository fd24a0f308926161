import type { GuardFinding, Measurement, MeterReading } from "./measurement.ts";

/** What meters and guards may read: validation and training, by type never decision or audit items. */
export interface RoundEvidence {
  readonly round: number;
  readonly method: string;
  /** How the method uses rewards: what is refused depends on it (design §8, verifier integrity). */
  readonly learnsBy: "imitation" | "policy-gradient";
  readonly validation: Measurement;
  readonly championValidation: Measurement | null;
  readonly training: TrainingEvidence | null;
  readonly history: readonly (readonly MeterReading[])[];
}

/** What the optimise stage measured on its own rollouts and models. */
export interface TrainingEvidence {
  readonly rollouts: number;
  readonly kept: number;
  /** Mean true score of all that the lead wrote and of what the reward kept, by the task's verifier. */
  readonly rawLabelAccuracy: number | null;
  readonly keptLabelAccuracy: number | null;
  /** Kept labels that the verifier judged, and those that it found right. */
  readonly keptJudged: number;
  readonly keptRight: number;
  /** Sampled minus recomputed logprob over sampled tokens: mean and largest absolute difference, and what the engine allows of each. */
  readonly mismatchMean: number | null;
  readonly mismatchMax: number | null;
  readonly mismatchMeanTolerance: number;
  readonly mismatchTolerance: number;
  /** Largest difference of a probe prompt's logprob between a sampler just taken and its trainer. */
  readonly freshness: number | null;
  readonly tokensSampled: number;
  readonly tokensTrained: number;
  /** Share of trained tokens that no model wrote. */
  readonly realShare: number | null;
  readonly meanResponseTokens: number | null;
}

/** A number tracked each round. */
export interface Meter {
  readonly name: string;
  readonly unit: string;
  /** What it is, in one sentence, for the report. */
  readonly definition: string;
  read(evidence: RoundEvidence): Omit<MeterReading, "meter" | "unit">;
}

/** A watcher over evidence that answers ok, warn, stop or roll back. */
export interface Guard {
  readonly name: string;
  /** What it demands, in one sentence. */
  readonly definition: string;
  /** Its options, for the hash of the configuration. */
  readonly description: Readonly<Record<string, string | number | boolean>>;
  watch(evidence: RoundEvidence): Omit<GuardFinding, "guard">;
}
