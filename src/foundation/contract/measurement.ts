import { z } from "zod";

const interval = z.object({ low: z.number(), high: z.number() });

/** Accuracy of one stratum: `right` of `items`, or the mean score. */
export const stratumScoreSchema = z.object({
  stratum: z.string(),
  difficulty: z.number(),
  items: z.number().int(),
  mean: z.number(),
  voids: z.number().int(),
  /** True when every item of the stratum was answered. */
  enumerated: z.boolean(),
  /** Answers that the limit of tokens cut off; absent in what was measured before this was counted. */
  cutOff: z.number().int().optional(),
});
export type StratumScore = z.infer<typeof stratumScoreSchema>;

/** Scores by stratum, and their mean over the target distribution with a 95 % interval. */
export const measurementSchema = z.object({
  weightVersion: z.string(),
  split: z.enum(["validation", "audit"]),
  strata: z.array(stratumScoreSchema),
  mean: z.number(),
  interval,
  /**
   * Greatest difficulty such that all up to it score at least .9, and at least .5; null when the least fails, and always
   * where difficulties only number kinds.
   */
  frontier90: z.number().nullable(),
  frontier50: z.number().nullable(),
});
export type Measurement = z.infer<typeof measurementSchema>;

/** What steers a run and is shown live: by type never audit items. */
export const validationMeasurementSchema = measurementSchema.extend({ split: z.literal("validation") });
export type ValidationMeasurement = z.infer<typeof validationMeasurementSchema>;

/** Paired difference of two models on the same items, averaged over the target distribution. */
export const gainSchema = z.object({
  mean: z.number(),
  interval,
  pairs: z.number().int(),
});
export type Gain = z.infer<typeof gainSchema>;

/**
 * Loss of a training: means over equal stretches of its optimiser steps, in order, each per trained token; null where one was
 * no number.
 */
export const trainingLossSchema = z.object({
  steps: z.number().int().min(1),
  means: z.array(z.number().nullable()).min(1),
});
export type TrainingLoss = z.infer<typeof trainingLossSchema>;

/** A number tracked each round, with its definition beside it. */
export const meterReadingSchema = z.object({
  meter: z.string(),
  value: z.number().nullable(),
  interval: interval.optional(),
  unit: z.string(),
  note: z.string().optional(),
});
export type MeterReading = z.infer<typeof meterReadingSchema>;

/** What the next round does otherwise because a guard asked for it. */
export const remedySchema = z.enum(["lower-learning-rate", "add-real-data"]);
export type Remedy = z.infer<typeof remedySchema>;

/** What a guard says, with its evidence. */
export const guardFindingSchema = z.object({
  guard: z.string(),
  answer: z.enum(["ok", "warn", "stop", "roll-back"]),
  /** Beside its answer, what it asks of the next round. */
  remedy: remedySchema.optional(),
  /** One sentence with the numbers in it. */
  evidence: z.string(),
  /** What was measured; null, with the answer ok, where nothing could be. */
  value: z.number().nullable(),
  threshold: z.number().nullable(),
});
export type GuardFinding = z.infer<typeof guardFindingSchema>;

/** Whether a guard could not measure: its ok then says that it had nothing to object to, not that all is well. */
export function isUnmeasured({ answer, value }: Pick<GuardFinding, "answer" | "value">): boolean {
  return answer === "ok" && value === null;
}

/** How one opening of the gate ended. */
export const openingSchema = z.object({
  opening: z.number().int(),
  outcome: z.enum(["better", "futile", "not-shown"]),
  alpha: z.number(),
  /**
   * The decision items were used before and will be again (design §8): all of them are answered, and nothing but the
   * outcome leaves the gate. Wealth and the observed mean are then null.
   */
  reused: z.boolean().default(false),
  /** Most openings on reused items. */
  openings: z.number().int().optional(),
  /** Evidence for a gain (m = 0) and against a gain worth having, as wealth. */
  wealth: z.number().nullable(),
  futilityWealth: z.number().nullable(),
  blocks: z.number().int(),
  pairs: z.number().int(),
  voids: z.number().int(),
  /** Mean paired difference on decision items: selected upon, so not the claimed gain. */
  observed: z.number().nullable(),
});
export type Opening = z.infer<typeof openingSchema>;

/** What a probe, a stratum that must not drop, has shown (design §8). */
export const probeResultSchema = z.object({
  stratum: z.string(),
  /** A loss of this much must not pass. */
  margin: z.number(),
  /** Every item of the stratum was answered: the loss is known, and there is no level. */
  exact: z.boolean(),
  /** Its items are few and used again: nothing leaves but that all probes were kept, so all that follows is null. */
  reused: z.boolean(),
  /** `dropped`: a loss above the margin is known, or shown at .05; `not-shown`: neither, within the pairs there are. */
  outcome: z.enum(["kept", "dropped", "not-shown"]).nullable(),
  /** The chance that a loss of the margin passes; null where it is exact. */
  level: z.number().nullable(),
  pairs: z.number().int(),
  voids: z.number().int().nullable(),
  /** Mean paired difference, void pairs counted worst. */
  observed: z.number().nullable(),
  /** Evidence that the loss is below the margin. */
  wealth: z.number().nullable(),
});
export type ProbeResult = z.infer<typeof probeResultSchema>;

export const decisionSchema = z.object({
  decision: z.enum(["promote", "reject", "roll-back", "ask"]),
  reason: z.string(),
  opening: openingSchema.nullable(),
  /** Absent where there are none. */
  probes: z.array(probeResultSchema).optional(),
  /** False in `observe`: recorded, not acted on. */
  acted: z.boolean(),
});
export type Decision = z.infer<typeof decisionSchema>;
