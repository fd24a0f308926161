import { z } from "zod";

/** What came of the attempts at one item: numbers only, so that nobody learns from the item itself. */
export const attemptedItemSchema = z.object({
  stratum: z.string(),
  /** Attempts that were judged, and those of them that are right. */
  judged: z.number().int(),
  right: z.number().int(),
  /** Right among the first five attempts, and among the next five: a test and its retest. */
  first: z.number().int(),
  second: z.number().int(),
  /** Different answers, and different right ones. */
  distinct: z.number().int(),
  distinctRight: z.number().int(),
  /** Of the answers as they were drawn, in nats: −Σ q log q over their shares. */
  entropy: z.number(),
  /** Share of the most frequent answer, and whether it is right; null where it was not judged. */
  modalShare: z.number(),
  modalRight: z.boolean().nullable(),
  /** Mean length of an attempt, in tokens. */
  tokens: z.number(),
  /** Mean of log π(y) − log π_base(y) over the attempts y, in nats an attempt: 0 for the base itself. */
  drift: z.number(),
});
export type AttemptedItem = z.infer<typeof attemptedItemSchema>;

/**
 * Several attempts of one policy at a few fixed validation items, sampled at temperature 1 with the same seeds in every round:
 * what diversity, drift, stability and length are read from. Items are as many of each stratum as its weight asks for.
 */
export const attemptsSchema = z.object({
  weightVersion: z.string(),
  split: z.literal("validation"),
  /** Attempts at each item. */
  samples: z.number().int(),
  items: z.array(attemptedItemSchema),
});
export type Attempts = z.infer<typeof attemptsSchema>;
