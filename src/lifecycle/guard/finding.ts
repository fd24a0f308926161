import { z } from "zod";
import type { GuardAction, GuardFinding } from "../../foundation/contract/index.ts";

export type Finding = Omit<GuardFinding, "guard">;

/** Where there is nothing to judge. */
export function silent(evidence: string): Finding {
  return { answer: "ok", evidence, value: null, threshold: null };
}

const actions = ["warn", "stop", "lower-learning-rate", "add-real-data", "roll-back"] as const;

/** The option that says what a guard does; its words are those of the contract. */
export const actionSchema = z.enum(actions satisfies readonly GuardAction[]);

/** What an action comes to: an answer for this round, and what is asked of the next. */
export function answerBy(action: GuardAction): Pick<Finding, "answer" | "remedy"> {
  return action === "lower-learning-rate" || action === "add-real-data"
    ? { answer: "warn", remedy: action }
    : { answer: action };
}

/** Signed points of a share with their interval, for evidence. */
export function pointsWords({
  mean,
  interval,
}: {
  readonly mean: number;
  readonly interval: { readonly low: number; readonly high: number };
}): string {
  const points = (value: number): string => `${value > 0 ? "+" : ""}${(100 * value).toFixed(1)}`;
  return `${points(mean)} points (${points(interval.low)} to ${points(interval.high)})`;
}

/** A signed number with its interval, for evidence. */
export function changeWords(
  {
    mean,
    interval,
  }: { readonly mean: number; readonly interval: { readonly low: number; readonly high: number } },
  unit: string,
): string {
  const signed = (value: number): string => `${value > 0 ? "+" : ""}${value.toFixed(2)}`;
  return `${signed(mean)} ${unit} (${signed(interval.low)} to ${signed(interval.high)})`;
}
