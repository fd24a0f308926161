import { z } from "zod";
import {
  type GuardAction,
  type GuardFinding,
  guardActions,
  type Remedy,
} from "../../foundation/contract/index.ts";

export type Finding = Omit<GuardFinding, "guard">;

/** Where there is nothing to judge. */
export function silent(evidence: string): Finding {
  return { answer: "ok", evidence, value: null, threshold: null };
}

/** The option that says what a guard does; its words are those of the contract. */
export const actionSchema = z.enum(guardActions);

/**
 * What an action comes to: an answer for this round, and what is asked of the next. A guard that rolls back may ask for a remedy
 * with it, which it does not where it was told to do something else.
 */
export function answerBy(action: GuardAction, withRollBack?: Remedy): Pick<Finding, "answer" | "remedy"> {
  if (action === "lower-learning-rate" || action === "add-real-data")
    return { answer: "warn", remedy: action };
  return action === "roll-back" && withRollBack !== undefined
    ? { answer: action, remedy: withRollBack }
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
