import type { Attempts } from "./attempts.ts";
import type { Split } from "./items.ts";
import type { Gain, GuardFinding, MeterReading, ValidationMeasurement } from "./measurement.ts";
import type { RefusalsCompared } from "./refusals.ts";

/** What meters and guards may read: validation and training, by type never decision or audit items. */
export interface RoundEvidence extends StepEvidence {
  readonly round: number;
  readonly method: string;
  readonly validation: ValidationMeasurement;
  readonly championValidation: ValidationMeasurement | null;
  /** Candidate against champion on the same validation items; null where it is not known. */
  readonly gain: Gain | null;
  /** Attempts at the same validation items; null where the run makes none. */
  readonly attempts: AttemptsCompared | null;
  /** Answers to prompts that are to be refused; absent where the run has none. */
  readonly refusals?: RefusalsCompared;
  /** Readings of earlier rounds, oldest first. */
  readonly history: readonly (readonly MeterReading[])[];
  /** Earlier rounds that were promoted: of decision items nothing else is told. */
  readonly promotions: readonly number[];
}

/** Keeps and imitates, follows a policy gradient, or learns from pairs: what a verifier's integrity must be for it (design §8). */
export type LearnsBy = "imitation" | "policy-gradient" | "preference";

/** What is known when rollouts are scored and nothing was learnt from them yet. */
export interface StepEvidence {
  /** How the method uses rewards: what is refused depends on it (design §8, verifier integrity). */
  readonly learnsBy: LearnsBy;
  /** Whether the rewards are grounded in something outside the model, or derived from what it wrote. */
  readonly rewardOrigin: "external" | "self-derived";
  readonly training: TrainingEvidence | null;
  /** Which items are learnt from; null where it is not known. */
  readonly trained: TrainedItems | null;
  /** How the task's verifier judged answers of known truth; null where it was not asked. */
  readonly planted: PlantedAnswers | null;
}

export interface AttemptsCompared {
  readonly candidate: Attempts;
  readonly champion: Attempts;
  readonly base: Attempts;
}

/** Counts of what is learnt from, by the split that its canonical form puts it into; no item can be read off them. */
export interface TrainedItems {
  readonly items: number;
  /** Of these, items of a split that is not to be learnt from. */
  readonly foreign: Readonly<Record<Exclude<Split, "train">, number>>;
  /** Items whose name for themselves, their canonical form or split, is not what the task says. */
  readonly misnamed: number;
  /** Texts that were given to learn from, and how many of them quote items of the decision or audit split. */
  readonly documents?: { readonly read: number; readonly quoting: number } | undefined;
}

/** Answers that are known to be right or wrong, and how many of each the verifier accepted. */
export interface PlantedAnswers {
  readonly right: number;
  readonly rightKept: number;
  readonly wrong: number;
  readonly wrongKept: number;
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
  /** All that was sampled to learn from: responses, and what rewards let the run's weights write beside them. */
  readonly tokensSampled: number;
  readonly tokensTrained: number;
  /** Share of trained tokens that no model wrote. */
  readonly realShare: number | null;
  /** Rollouts that were left out because the weights that wrote them lie too far back. */
  readonly rolloutsStale?: number;
  /** Passes that had nothing to attempt, because the one before them made nothing; the others went on. */
  readonly passesEmpty?: number;
  /** Steps of the lead's in which nothing was new: all of it was demonstrated, or kept by earlier rounds. */
  readonly stepsReplayed?: number;
  /** Of copies that a reward trained and threw away: tokens that they sampled, and of the sequences that they were trained on. */
  readonly trialTokensSampled?: number;
  readonly trialPositionsTrained?: number;
  readonly meanResponseTokens: number | null;
  /** KL of the sampler from the trainer that the mismatch implies, in nats a sampled token. */
  readonly mismatchKl: number | null;
  /**
   * Of what the lead wrote and the run's own reward judged: right and wrong answers by the truth, and how many of each it kept; of
   * rewards that are shares, how many it put above the mean of their item's.
   */
  readonly right: number;
  readonly rightKept: number;
  readonly wrong: number;
  readonly wrongKept: number;
  /** Mean of the lead's rewards over the items that it attempted, with a 95 % interval; null without rewards. */
  readonly reward: { readonly mean: number; readonly low: number; readonly high: number } | null;
  /** The verifier that judged `right` and `wrong` is the reward itself: then nothing is known of the reward by them. */
  readonly circular: boolean;
  /** Why nothing was learnt from the rollouts; null where it was. */
  readonly blocked: string | null;
  /** Where responses are compared: groups that taught something, and groups that were skipped because nothing in them differs. */
  readonly groupsTaught?: number;
  readonly groupsSkipped?: number;
  /** Verdicts of a judge that could not be read: what they are of never trains. */
  readonly unreadVerdicts?: number;
  /** Answers on which the verifier gave no verdict, as when its sandbox was down: without a reward they never train. */
  readonly voidVerdicts?: number;
  /** Where a model proposes items to learn from: what attempts at them came to, by the reward. */
  readonly proposed?: ProposedItems;
}

/** Items that a model proposed and that were attempted: so many, none of whose attempts was rewarded of these, and all of whose. */
export interface ProposedItems {
  readonly attempted: number;
  readonly neverSolved: number;
  readonly alwaysSolved: number;
}

/** A number tracked each round. */
export interface Meter {
  readonly name: string;
  readonly unit: string;
  /** What it is, in one sentence, for the report. */
  readonly definition: string;
  read(evidence: RoundEvidence): Omit<MeterReading, "meter" | "unit">;
}

export const guardActions = ["warn", "stop", "lower-learning-rate", "add-real-data", "roll-back"] as const;
/** What a guard does when its demand is not met; it may warn before. */
export type GuardAction = (typeof guardActions)[number];

/** A watcher over evidence that answers ok, warn, stop or roll back. */
export interface Guard {
  readonly name: string;
  /** What it demands, in one sentence. */
  readonly definition: string;
  /** Its options, for the hash of the configuration. */
  readonly description: Readonly<Record<string, string | number | boolean>>;
  watch(evidence: RoundEvidence): Omit<GuardFinding, "guard">;
  /**
   * Asked before each update, with what is known by then: an answer of stop or roll back keeps the step from being made. Only of
   * guards that can know so early.
   */
  watchStep?(evidence: StepEvidence): Omit<GuardFinding, "guard">;
}
