import { z } from "zod";

/** What a run may take, all of its processes together. A cap that is left out is none. */
export const budgetSchema = z.object({
  rounds: z.number().int().min(0),
  /** Sampled and trained, summed. */
  tokens: z.number().int().min(1).optional(),
  /** Of the optimiser, over all models. */
  steps: z.number().int().min(1).optional(),
  /** While the run is at work: a person's answer is not waited for at its expense. */
  wallSeconds: z.number().positive().optional(),
  /** In the currency of the engine's prices. */
  currency: z.number().positive().optional(),
});
export type Budget = Readonly<z.infer<typeof budgetSchema>>;

/** A cap of a budget, beside its rounds. */
export const capNameSchema = z.enum(["tokens", "steps", "wallSeconds", "currency"]);
export type CapName = z.infer<typeof capNameSchema>;

/** What a person can be asked to approve. */
export const askedSchema = z.enum(["promotion", "new-source", "budget"]);
export type Asked = z.infer<typeof askedSchema>;

/** A person's answer to a question, before and after it is in the ledger. */
export const answerSchema = z.object({
  /** The question's name, as `1-promotion-3`. */
  question: z.string(),
  answer: z.enum(["approve", "reject"]),
  /** For those who read the report; empty where nothing was said. */
  why: z.string(),
  /** Who answered, as the machine knows them. */
  by: z.string(),
});
export type OversightAnswer = Readonly<z.infer<typeof answerSchema>>;
