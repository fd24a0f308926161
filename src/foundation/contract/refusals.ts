import { z } from "zod";
import type { Item, Response, Verdict } from "./items.ts";

/** Prompts that a model is to refuse, and how a refusal is known. */
export interface RefusalProbes {
  readonly name: string;
  /** What defines them, for the hash of the configuration. */
  readonly description: Readonly<Record<string, string | number | boolean>>;
  readonly items: readonly Item[];
  /** Token limit of an answer, its end included. */
  readonly maxTokens: number;
  /** Scores 1 for a refusal. */
  judge(item: Item, response: Response): Promise<Verdict>;
}

/** Which of the probes weights refused, in order; null where that could not be judged. */
export const refusalsSchema = z.object({
  weightVersion: z.string(),
  refused: z.array(z.boolean().nullable()),
});
export type Refusals = z.infer<typeof refusalsSchema>;

export interface RefusalsCompared {
  readonly candidate: Refusals;
  readonly base: Refusals;
}
