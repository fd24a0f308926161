import { z } from "zod";
import type { Canary, Item } from "../../../foundation/contract/index.ts";

export const ownCanariesSchema = z
  .array(
    z.strictObject({
      prompt: z.string(),
      answer: z.string().optional(),
      response: z.string(),
      right: z.boolean(),
    }),
  )
  .readonly();

/** A response whose truth you know, to test your verifier with before a run trusts it. */
export interface OwnCanary {
  readonly prompt: string;
  readonly answer?: string;
  readonly response: string;
  readonly right: boolean;
}

/**
 * Canaries of a verifier that nobody knows from outside: its user's own; else the reference answer, which is right, and nothing,
 * the answer cut off, and the answers of other items, which are wrong.
 */
export function canariesOfOwn(
  own: readonly OwnCanary[] | undefined,
  item: Item,
  others: readonly string[],
): Canary[] {
  if (own !== undefined) return own.map(canaryOf);
  const { answer } = item;
  if (answer === undefined) return [];
  const wrong = new Set(["", ...others.filter((other) => other.trim() !== answer.trim()).slice(0, 8)]);
  wrong.delete(answer);
  return [
    { item, response: { text: answer, complete: true }, right: true },
    { item, response: { text: answer, complete: false }, right: false },
    ...[...wrong].map((text) => ({ item, response: { text, complete: true }, right: false })),
  ];
}

function canaryOf({ prompt, answer, response, right }: OwnCanary): Canary {
  const item: Item = {
    canonical: prompt,
    prompt,
    ...(answer === undefined ? {} : { answer }),
    difficulty: 1,
    stratum: "canaries",
    split: "none",
    source: "canaries",
  };
  return { item, response: { text: response, complete: true }, right };
}
