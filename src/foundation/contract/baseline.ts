import { z } from "zod";
import { gainSchema, validationMeasurementSchema } from "./measurement.ts";

/** How much compute baselines get: a tenth of the run's, or all of it; or that there are none, and why. */
export const baselinesPlanSchema = z.discriminatedUnion("mode", [
  z.object({ mode: z.enum(["short", "full"]) }),
  z.object({ mode: z.literal("off"), reason: z.string() }),
]);
export type BaselinesPlan = z.infer<typeof baselinesPlanSchema>;

export const baselineNameSchema = z.enum(["best-of-n", "supervised", "permuted-rewards"]);
export type BaselineName = z.infer<typeof baselineNameSchema>;

/** Weights with a harness on validation items, and what they gain over the base there. */
const measuredSchema = z.object({ measurement: validationMeasurementSchema, overBase: gainSchema });

/**
 * One of the ways that a run is compared with (design §8). Compute is in FLOPs a parameter: 2 for each token that is sampled or
 * read to sample from, 6 for each that is passed through to train.
 */
export const baselineSchema = z.object({
  baseline: baselineNameSchema,
  mode: z.enum(["short", "full"]),
  /** What was done, or why it was not, for people. */
  text: z.string(),
  /** The run's checkpoint that it is compared with: that after this round. */
  at: z.object({
    round: z.number().int(),
    compute: z.number(),
    /** Of the whole run's. */
    share: z.number(),
  }),
  /** Null where there was nothing to do. */
  measured: measuredSchema
    .extend({
      compute: z.number(),
      own: measuredSchema.extend({ checkpoint: z.string(), promoted: z.boolean() }),
      /** The run's own minus the baseline's, on the same items. */
      ahead: gainSchema,
    })
    .nullable(),
});
export type Baseline = z.infer<typeof baselineSchema>;
