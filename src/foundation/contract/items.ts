import { z } from "zod";

export const splitSchema = z.enum(["train", "validation", "decision", "audit"]);
/** Where an item's canonical form puts it, once and for ever (design §8). */
export type Split = z.infer<typeof splitSchema>;

export const messageSchema = z.object({ role: z.string(), content: z.string() });
/** One message of a conversation. */
export type Message = z.infer<typeof messageSchema>;

export const itemSchema = z.object({
  /** The item's identity: two items with one canonical form are the same item. */
  canonical: z.string(),
  /** What is asked: the whole prompt, or of a conversation the last message, for people. */
  prompt: z.string(),
  /** The conversation to answer, where the prompt is more than one message of the user's. */
  messages: z.array(messageSchema).optional(),
  /** The reference answer, where there is one. Generate parts never see it unless a hint is asked for. */
  answer: z.string().optional(),
  difficulty: z.number(),
  /** Name of the stratum. */
  stratum: z.string(),
  /** `none` for members of an enumerated stratum, which has no splits. */
  split: z.union([splitSchema, z.literal("none")]),
  /** Where it came from: `generator:reverse@1`, a file and line, a rollout. */
  source: z.string(),
});
export type Item = z.infer<typeof itemSchema>;

export const verdictSchema = z.discriminatedUnion("outcome", [
  /** Also for a limit that the policy's own output reached: that scores 0. */
  z.object({
    outcome: z.literal("scored"),
    score: z.number().min(0).max(1),
    parts: z.record(z.string(), z.number()).optional(),
  }),
  /** Only for faults of infrastructure: never trains, never counts. */
  z.object({ outcome: z.literal("void"), reason: z.string() }),
]);
export type Verdict = z.infer<typeof verdictSchema>;

/** What a verifier reads. */
export interface Response {
  readonly text: string;
  /** False when the token limit ended it. */
  readonly complete: boolean;
}

/** An example of how to answer an item, written by the task or by a person. */
export const demonstrationSchema = z.object({
  item: itemSchema,
  response: z.string(),
  /** Where the prompt is one of another role, such as a judge's: the task's item that it was made of, by which its split is known. */
  about: itemSchema.optional(),
});
export type Demonstration = z.infer<typeof demonstrationSchema>;
