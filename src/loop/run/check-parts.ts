import { isWhetstoneError, WhetstoneError } from "../../foundation/base/index.ts";
import type { Tokenizer } from "../../foundation/contract/index.ts";
import { turnsOf } from "../../gro/method/index.ts";
import type { RunDefinition } from "../round/definition.ts";
import { partsOf } from "./parts-of.ts";

/**
 * Asks every part of the run's methods whether it can serve the task: when the run is defined, and once more with the model's tokenizer
 * when the model is there. Throws what a part throws, with the method's name before it.
 */
export function checkParts(
  { optimize, budget, task }: Pick<RunDefinition, "optimize" | "budget" | "task">,
  tokenizer?: Tokenizer,
): void {
  for (const { method } of turnsOf(optimize, Math.max(1, budget.rounds)))
    for (const part of method.passes.flatMap(partsOf)) {
      try {
        part.check?.(task, tokenizer);
      } catch (error) {
        throw ofMethod(method.name, error);
      }
    }
}

/** Who wrote `absoluteZero()` has never heard of the parts that it is made of. */
function ofMethod(method: string, error: unknown): unknown {
  if (!isWhetstoneError(error)) return error;
  const { code, category, message, details } = error;
  return new WhetstoneError({
    code,
    category,
    message: `The method “${method}” cannot be run: ${message}`,
    details: { ...details, method },
    cause: error,
  });
}
