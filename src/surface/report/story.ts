import type {
  Baseline,
  BaselinesPlan,
  Cost,
  Decision,
  EventOf,
  Gain,
  GuardFinding,
  Measurement,
  MeterReading,
  ShownSample,
  StageName,
  TrainingLoss,
} from "../../foundation/contract/index.ts";
import type { Question } from "../../loop/oversight/index.ts";
import type { Marginal } from "../../loop/run/marginal.ts";

/** What was settled when the run began. */
export type RunFacts = Readonly<Omit<EventOf<"run-started">, "type" | "run">>;

export interface EngineStory {
  readonly engine: string;
  readonly device: string;
  readonly workers: number;
  readonly seconds: number;
  /** Of its prices; absent where it has none. */
  readonly currency?: string | undefined;
}

export interface StageStory {
  readonly stage: StageName;
  /** Empty when its start was not heard. */
  readonly label: string;
  /** When it began, in milliseconds. */
  readonly since: number | null;
  /** Null while it goes on. */
  readonly summary: string | null;
  readonly seconds: number | null;
}

/** What a round's training said of itself; null where it could not be known. */
export interface TrainingStory {
  readonly rollouts: number | null;
  readonly kept: number | null;
  readonly rawLabelAccuracy: number | null;
  readonly keptLabelAccuracy: number | null;
  readonly tokensTrained: number | null;
  readonly realShare: number | null;
}

/** A paired comparison on audit items, made after the decision was stored. */
export interface AuditStory {
  readonly round: number;
  readonly before: Measurement;
  readonly after: Measurement;
  readonly gain: Gain;
}

/** The audit that a run's claim rests on. */
export interface ClaimStory extends AuditStory {
  /** The round that made the audited champion; a run with more rounds may have a later one by now. */
  readonly championRound: number;
}

/** Factors on learning rates, and on the weight of data that no model wrote. */
export interface RemedyStory {
  readonly learningRate: number;
  readonly realData: number;
}

export interface RoundStory {
  readonly round: number;
  readonly plan: string | null;
  readonly startFrom: EventOf<"round-started">["startFrom"] | null;
  /** SHA-256 of the decision seed, told before training. */
  readonly seedHash: string | null;
  /** The seed itself, told with the decision. */
  readonly seed: string | null;
  readonly stages: readonly StageStory[];
  /** Of the role that answers: the candidate, or in round 0 the base. */
  readonly checkpoint: string | null;
  readonly training: TrainingStory | null;
  /** Of the training that made the checkpoint; null where nothing was trained, or it was not kept. */
  readonly loss: TrainingLoss | null;
  /** The candidate (in round 0 the base) on validation items. */
  readonly validation: Measurement | null;
  /** The candidate against the champion on those items: the naive gain, since they steer the run. */
  readonly validationGain: Gain | null;
  readonly readings: readonly MeterReading[];
  readonly findings: readonly GuardFinding[];
  /** What it did otherwise because guards had asked for it; null where it did as its method says. */
  readonly remedies: RemedyStory | null;
  readonly decision: Decision | null;
  readonly promoted: boolean;
  /** The hash of its certificate; only promotions have one. */
  readonly certificate: string | null;
  /** A person took the champion back while it was under way: it is not played to its end. */
  readonly givenUp: boolean;
  /** The new champion against the one before it; only promotions have one. */
  readonly audit: AuditStory | null;
  readonly samples: readonly ShownSample[];
  /** What this round alone cost. */
  readonly spent: Cost | null;
  readonly seconds: number | null;
  readonly finished: boolean;
}

export interface PauseStory {
  readonly round: number;
  readonly at: number;
  readonly reason: string;
}

/** A champion that a person took back. */
export interface RollbackStory {
  /** The last round that was begun. */
  readonly round: number;
  readonly at: number;
  /** Rounds that made the champion before and after; 0 is the base. */
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** Sealed results of an opening on reused items that a person looked at. */
export interface OpenedStory {
  readonly round: number;
  readonly at: number;
  readonly opening: number;
  readonly reason: string;
}

/** What the run is compared with. */
export interface BaselinesStory {
  /** What was settled when the run began; null in runs of before there were baselines. */
  readonly plan: BaselinesPlan | null;
  /** Why those that were asked for are not there, or not all; null where they are, or are yet to come. */
  readonly leftOut: string | null;
  /** Of each mode the newest of each name. */
  readonly measured: readonly Baseline[];
}

export type RunState =
  | "empty"
  | "running"
  | "interrupted"
  | "finished"
  | "stopped-by-guard"
  /** A cap of the budget was reached; a raised budget goes on. */
  | "budget-spent";

/**
 * A run as people read it: the fold of its events, whole or cut off anywhere. Everything that is shown (terminal, closing
 * words, page) draws from it, and it is plain JSON.
 */
export interface RunStory {
  /** Empty when nothing was heard. */
  readonly run: string;
  /** Null when the beginning is missing. */
  readonly facts: RunFacts | null;
  readonly engine: EngineStory | null;
  readonly state: RunState;
  /** Why it ended or stopped; null while it goes on. */
  readonly reason: string | null;
  /** The cap that ended it, and what was spent when it was reached; null where none did. */
  readonly stop: EventOf<"budget-spent"> | null;
  /** The newest stage that has not ended; null between stages. */
  readonly current: {
    readonly round: number;
    readonly stage: StageName;
    readonly label: string;
    /** When it began, in milliseconds; null when that was not heard. */
    readonly since: number | null;
  } | null;
  /** Round 0: what made the base. Null before anything of it was heard. */
  readonly preparation: RoundStory | null;
  /** Rounds from 1, in order. */
  readonly rounds: readonly RoundStory[];
  /** Round 0 is the base; the checkpoint of one that an earlier run made is not known before the run ends. */
  readonly champion: { readonly round: number; readonly checkpoint: string | null };
  /** The champion against the base on audit items: the only gain that is claimed. */
  readonly audit: ClaimStory | null;
  readonly gain: Gain | null;
  /** Of the base, and of the champion; on audit items when both were audited, else on validation items. Kinds have none. */
  readonly frontier: {
    readonly before: number | null;
    readonly after: number | null;
    readonly split: "audit" | "validation";
  } | null;
  readonly interruptions: readonly PauseStory[];
  readonly resumptions: readonly Omit<PauseStory, "reason">[];
  /** In order. */
  readonly rollbacks: readonly RollbackStory[];
  /** In order. */
  readonly opened: readonly OpenedStory[];
  /** What a person was asked, in order. */
  readonly questions: readonly Question[];
  readonly baselines: BaselinesStory;
  /** What the last rounds gained for what they cost; null where that cannot be said. */
  readonly marginal: Marginal | null;
  /** Of the whole run so far. */
  readonly cost: Cost | null;
  readonly startedAt: number | null;
  readonly lastAt: number | null;
}
