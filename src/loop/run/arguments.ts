import { z } from "zod";
import { userError, valueWith } from "../../foundation/base/index.ts";
import type { RunDefinition } from "../round/definition.ts";
import { isRunDefinition } from "./config.ts";
import { isParametrisedRun } from "./parameters.ts";
import type { WhichWeights } from "./weights.ts";

/** What several functions of the public API take, as members of their options' schemas. */
export const projectFolder = z
  .string()
  .min(1)
  .default(() => process.cwd());
export const runName = z.string().min(1).optional();
export const abortSignal = valueWith<AbortSignal>("throwIfAborted", "expected an AbortSignal").optional();
export const whichWeights = z.custom<WhichWeights>(
  (value) =>
    value === "base" ||
    value === "champion" ||
    value === "candidate" ||
    (Number.isInteger(value) && Number(value) >= 0),
  'expected "base", "champion", "candidate" or the number of a round',
);

export function functionOf<T>(): z.ZodOptional<z.ZodCustom<T, T>> {
  return z.custom<T>((value) => typeof value === "function", "expected a function").optional();
}

const members = ["model", "engine", "task", "acquire", "optimize", "refine", "evaluate", "gate", "budget"];

/** Throws a user error `invalid-option` where the first argument is no run, and says how it becomes one. */
export function checkDefinition(where: string, given: unknown): asserts given is RunDefinition {
  if (isRunDefinition(given)) return;
  const whole = typeof given === "object" && given !== null;
  if (whole && members.every((member) => member in given)) return;
  throw userError(
    "invalid-option",
    isParametrisedRun(given)
      ? `${where}: this run has parameters that are still open: give config.define({}) as the first argument.`
      : `${where}: expected what defineRun({ task: … }) returns as the first argument, received ${whole && "task" in given ? "its options: call defineRun() with them" : nameOf(given)}.`,
    { where },
  );
}

function nameOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : typeof value;
}
