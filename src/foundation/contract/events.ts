import { z } from "zod";
import { baselineSchema, baselinesPlanSchema } from "./baseline.ts";
import {
  decisionSchema,
  gainSchema,
  guardFindingSchema,
  measurementSchema,
  meterReadingSchema,
  trainingLossSchema,
} from "./measurement.ts";
import { answerSchema, askedSchema, budgetSchema, capNameSchema } from "./oversight.ts";
import { isVolatile, volatile } from "./volatile.ts";

export const stageNameSchema = z.enum([
  "prepare",
  "acquire",
  "select",
  "optimize",
  "refine",
  "evaluate",
  "guard",
  "decide",
  "audit",
  "baseline",
]);
export type StageName = z.infer<typeof stageNameSchema>;

const round = z.number().int().min(0);
const description = z.record(z.string(), z.unknown());
const seconds = volatile(z.number());
/** Artifacts that say what every role learnt from; none in runs that kept no lineage. */
const lineage = z.array(z.string());
/** Weights of the role that answers, and the round that made them. */
const weights = z.object({ round, checkpoint: z.string() });

/** A response shown to people: what was asked, what the champion and the candidate said, what is right. */
export const shownSampleSchema = z.object({
  difficulty: z.number(),
  /** Name of the stratum, where difficulties only number kinds. */
  kind: z.string().optional(),
  prompt: z.string(),
  answer: z.string().nullable(),
  before: z.string().nullable(),
  after: z.string(),
  /** Whether the champion was right; absent where it did not answer. */
  beforeRight: z.boolean().nullable().optional(),
  right: z.boolean().nullable(),
});
export type ShownSample = z.infer<typeof shownSampleSchema>;

export const costSchema = z.object({
  tokensSampled: z.number(),
  tokensTrained: z.number(),
  optimizerSteps: z.number(),
  busySeconds: z.number(),
  availableSeconds: z.number(),
  wallSeconds: z.number(),
  /** In the currency of the engine's prices; absent where it has none. */
  currency: z.number().optional(),
  /**
   * What counts against a cap on wall time, where that is not the wall time itself: an opening on reused decision items is
   * charged for the longest answers that it may have.
   */
  chargedSeconds: z.number().optional(),
});
export type Cost = z.infer<typeof costSchema>;

/** Checkpoints of the roles that the harness asks beside the one that answers, by role; absent where it asks none. */
const askedCheckpoints = z.record(z.string(), z.string());

/**
 * All that can happen in a run: stored in the ledger, streamed to the screen and drawn in the report as one and the same
 * value. `round` is 0 for the preparation.
 */
export const runEventSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("run-started"),
    run: z.string(),
    name: z.string(),
    configHash: z.string(),
    protocolHash: z.string(),
    seed: z.number(),
    rounds: z.number().int(),
    /** The whole budget, and what a person is asked; absent in ledgers of before there was more than rounds. */
    budget: budgetSchema.optional(),
    ask: z.array(askedSchema).optional(),
    task: description,
    model: description,
    method: description,
    observe: z.boolean(),
    unit: z.string(),
    base: z.tuple([z.number(), z.number()]),
    growTo: z.number(),
    measureTo: z.number(),
    /** Names of the strata, where difficulties only number kinds: the first is kind 1. There is no frontier then. */
    kinds: z.array(z.string()).optional(),
    /** Which baselines the run measures at its end, or why none; absent in ledgers of before there were some. */
    baselines: baselinesPlanSchema.optional(),
    version: z.string(),
  }),
  volatile(
    z.object({
      type: z.literal("run-resumed"),
      run: z.string(),
      round,
      /** The budget may have been raised since the run started. */
      rounds: z.number().int(),
      budget: budgetSchema.optional(),
      ask: z.array(askedSchema).optional(),
      processId: z.number(),
    }),
  ),
  volatile(
    z.object({
      type: z.literal("engine-started"),
      engine: z.string(),
      device: z.string(),
      workers: z.number().int(),
      seconds,
      /** Of its prices, where it has some. */
      currency: z.string().optional(),
    }),
  ),
  /** A worker died within a stage: what it held was loaded again, and the steps since were replayed from their record. */
  volatile(
    z.object({
      type: z.literal("engine-recovered"),
      round,
      /** Code of the error that told of the death. */
      reason: z.string(),
      /** Which weights were lost. */
      weights: z.string(),
      /** Optimiser steps that were made again. */
      replayed: z.number().int(),
      seconds,
    }),
  ),
  z.object({
    type: z.literal("round-started"),
    round,
    plan: z.string(),
    startFrom: z.enum(["base", "champion", "candidate"]),
    seedHash: z.string(),
  }),
  z.object({ type: z.literal("stage-started"), round, stage: stageNameSchema, label: z.string() }),
  z.object({
    type: z.literal("stage-finished"),
    round,
    stage: stageNameSchema,
    seconds,
    summary: z.string(),
  }),
  /** Round 0: the first weights of the role that answers. */
  z.object({
    type: z.literal("model-prepared"),
    round,
    checkpoint: z.string(),
    asked: askedCheckpoints.optional(),
    loss: trainingLossSchema.optional(),
    lineage: lineage.optional(),
  }),
  /** `loss` is of the role that answers; there is none where nothing was trained, and in ledgers of before it was kept. */
  z.object({
    type: z.literal("training-finished"),
    round,
    checkpoint: z.string(),
    asked: askedCheckpoints.optional(),
    evidence: description,
    loss: trainingLossSchema.optional(),
    lineage: lineage.optional(),
    /** What it took, in FLOPs a parameter; absent in ledgers of before it was counted. */
    compute: z.number().optional(),
  }),
  z.object({
    type: z.literal("validation-measured"),
    round,
    who: z.enum(["candidate", "champion", "base"]),
    measurement: measurementSchema,
    /** Candidate against champion on the same validation items. */
    gain: gainSchema.optional(),
  }),
  z.object({ type: z.literal("meters-read"), round, readings: z.array(meterReadingSchema) }),
  z.object({ type: z.literal("guards-spoke"), round, findings: z.array(guardFindingSchema) }),
  /** A round does otherwise than its method says, by these factors, because guards asked for it. */
  z.object({
    type: z.literal("remedies-applied"),
    round,
    learningRate: z.number().positive(),
    realData: z.number().positive(),
  }),
  /** `evidence`: artifacts with the items and the results of an opening that was won, for the certificate. */
  z.object({
    type: z.literal("decision-made"),
    round,
    decision: decisionSchema,
    seed: z.string(),
    evidence: z.object({ items: z.string(), results: z.string() }).optional(),
  }),
  z.object({ type: z.literal("candidate-promoted"), round, checkpoint: z.string() }),
  z.object({ type: z.literal("candidate-rejected"), round, checkpoint: z.string() }),
  /**
   * A person took the champion back to one before it. `round` is the last that was begun, and is given up where it was not
   * finished; later rounds go on from `to`.
   */
  z.object({
    type: z.literal("champion-rolled-back"),
    round,
    from: weights,
    to: weights,
    reason: z.string(),
    by: z.literal("person"),
  }),
  z.object({
    type: z.literal("audit-measured"),
    round,
    /** What was compared: the new champion with the one before it, or at the end the champion with the base. */
    comparison: z.enum(["previous-champion", "base"]),
    before: measurementSchema,
    after: measurementSchema,
    gain: gainSchema,
    /** An artifact with the pairs that the gain is computed from, for the certificate. */
    evidence: z.string().optional(),
  }),
  /** `hash` is of what was decided, and stays the same when an audit is added; `certificate` is the artifact. */
  z.object({
    type: z.literal("certificate-made"),
    round,
    certificate: z.string(),
    hash: z.string(),
    audits: z.array(z.enum(["previous-champion", "base"])),
  }),
  /** A person looked at results on reused decision items: what later openings on these items show is no longer bounded. */
  z.object({
    type: z.literal("certificate-opened"),
    round,
    /** Whose decision items, and which opening on them. */
    items: z.string(),
    opening: z.number().int(),
    reason: z.string(),
    by: z.literal("person"),
  }),
  /** What another way comes to with the compute that the run had taken at one of its checkpoints, on validation items. */
  z.object({ type: z.literal("baseline-measured"), round, ...baselineSchema.shape }),
  /** Why baselines that were asked for are not there. */
  z.object({
    type: z.literal("baselines-left-out"),
    round,
    mode: z.enum(["short", "full"]),
    reason: z.string(),
  }),
  z.object({ type: z.literal("samples-shown"), round, samples: z.array(shownSampleSchema) }),
  /** With what had to be done twice. */
  volatile(z.object({ type: z.literal("cost-metered"), round, cost: costSchema })),
  /** A person is asked; what depends on the answer waits for it. */
  z.object({
    type: z.literal("question-asked"),
    round,
    /** Its name in the folder, by which it is answered: `1-promotion-3`. */
    question: z.string(),
    about: askedSchema,
    /** What would be done, in a sentence. */
    text: z.string(),
    /** `to` of a budget is the one that is asked for, `sources` those that are new. */
    details: z.object({ to: budgetSchema.optional(), sources: z.array(z.string()).optional() }),
  }),
  z.object({ type: z.literal("question-answered"), round, ...answerSchema.shape }),
  /** A cap is reached: nothing more is begun. `keptBack` is what the closing audit may take of it. */
  z.object({
    type: z.literal("budget-spent"),
    round,
    cap: capNameSchema,
    limit: z.number(),
    spent: z.number(),
    keptBack: z.number(),
    reason: z.string(),
  }),
  z.object({ type: z.literal("round-finished"), round, seconds }),
  z.object({
    type: z.literal("run-finished"),
    outcome: z.enum(["rounds-spent", "stopped-by-guard", "budget-spent"]),
    reason: z.string(),
    champion: z.string(),
    championRound: round,
  }),
  volatile(z.object({ type: z.literal("run-interrupted"), round, reason: z.string() })),
]);
export type RunEvent = z.infer<typeof runEventSchema>;
export type RunEventType = RunEvent["type"];
export type EventOf<T extends RunEventType> = Extract<RunEvent, { type: T }>;

const schemas = new Map(
  runEventSchema.options.map((option) => [option.shape.type.value as RunEventType, option]),
);

/** What of an event is equal in two runs that are equal; null where the whole event is of an interruption, or of the clock. */
export function lastingPart(event: RunEvent): Readonly<Record<string, unknown>> | null {
  const schema = schemas.get(event.type);
  if (schema === undefined || isVolatile(schema)) return null;
  const members = schema.shape as Readonly<Record<string, z.ZodType>>;
  return Object.fromEntries(
    Object.entries(event).filter(([name]) => {
      const member = members[name];
      return member === undefined || !isVolatile(member);
    }),
  );
}

/** A stored event: its place in the ledger, its time (for people; may jump), and the run that it belongs to. */
export interface StoredEvent {
  readonly id: number;
  readonly run: string;
  readonly at: number;
  readonly event: RunEvent;
}

/** Shown live, and no part of the ledger. */
export interface Progress {
  readonly type: "progress";
  readonly stage: StageName | "set-up" | "engine";
  readonly label: string;
  readonly done: number;
  readonly total: number;
  /** Of the newest optimiser step, per trained token. */
  readonly loss?: number;
}

/** Whoever watches a run: terminal, JSON lines, tests. */
export type Watcher = (event: StoredEvent | Progress) => void;
