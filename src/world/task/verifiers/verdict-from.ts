import { type Verdict, verdictSchema } from "../../../foundation/contract/index.ts";

/** What a verifier of one's own may say: right or wrong, a score from 0 to 1, or a whole verdict. */
export type Judgement = boolean | number | Verdict;

/** A judgement as a verdict; void where it is none of the three, or a score outside of 0 to 1. */
export function verdictFrom(judgement: unknown): Verdict {
  if (typeof judgement === "boolean") return { outcome: "scored", score: judgement ? 1 : 0 };
  if (typeof judgement === "number" && judgement >= 0 && judgement <= 1)
    return { outcome: "scored", score: judgement };
  const whole = verdictSchema.safeParse(judgement);
  if (whole.success) return whole.data as Verdict;
  return { outcome: "void", reason: `the verifier gave ${shown(judgement)}, which is no score from 0 to 1` };
}

function shown(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 120);
  } catch {
    return String(value).slice(0, 120);
  }
}
