import type { OptimizerStep } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import { checkNumbers } from "./limits.ts";
import { grown, type Table } from "./table.ts";

export const optimizers = ["adamw", "sgd"] as const;

/** Moments of the stored rows, as long as they need to be; those of all other rows are zero. */
export interface OptimizerState {
  first: Float64Array;
  second: Float64Array;
  /** AdamW steps that the moments have seen. */
  steps: number;
}

export function freshOptimizer(): OptimizerState {
  return { first: new Float64Array(0), second: new Float64Array(0), steps: 0 };
}

/** Euclidean. */
export function norm(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

/** Throws `bad-request` for an optimiser that there is not, and for numbers that make no step. */
export function checkStep({ optimizer = "adamw", ...numbers }: StepRequest["step"]): void {
  if (!optimizers.includes(optimizer))
    throw engineError("bad-request", `There is no optimiser "${optimizer}".`);
  checkNumbers(numbers);
  const { beta1 = 0, beta2 = 0 } = numbers;
  if (beta1 >= 1 || beta2 >= 1) throw engineError("bad-request", "beta1 and beta2 must be below 1.");
}

export interface StepRequest {
  readonly table: Table;
  /** At least as long as the table's stored rows. */
  readonly gradient: Float64Array;
  readonly gradientNorm: number;
  readonly state: OptimizerState;
  readonly step: Omit<OptimizerStep, "sequence" | "signal">;
}

/**
 * One step of AdamW (arXiv 1711.05101, algorithm 2, without a schedule of its own) or of plain gradient descent, both with
 * decoupled decay, over all stored rows: those without a gradient move too while their moments last. The rest of the
 * table only decays, which is one number.
 */
export function applyStep({ table, gradient, gradientNorm, state, step }: StepRequest): void {
  const { optimizer = "adamw", learningRate, weightDecay = 0.01, gradientClipNorm = 0 } = step;
  // The small number keeps the quotient at most 1, as PyTorch's clipping has it.
  const clip =
    gradientClipNorm > 0 && gradientNorm > gradientClipNorm ? gradientClipNorm / (gradientNorm + 1e-6) : 1;
  const size = table.rows * table.options.vocabulary;
  const keep = 1 - learningRate * weightDecay;
  table.decay *= keep;
  const { values } = table;
  if (optimizer === "sgd") {
    for (let at = 0; at < size; at++)
      values[at] = (values[at] as number) * keep - learningRate * clip * (gradient[at] as number);
    return;
  }
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = step;
  state.steps += 1;
  state.first = grown(state.first, size);
  state.second = grown(state.second, size);
  const { first, second, steps } = state;
  const rate = learningRate / (1 - beta1 ** steps);
  const scale = Math.sqrt(1 - beta2 ** steps);
  for (let at = 0; at < size; at++) {
    const slope = clip * (gradient[at] as number);
    const mean = beta1 * (first[at] as number) + (1 - beta1) * slope;
    const square = beta2 * (second[at] as number) + (1 - beta2) * slope * slope;
    first[at] = mean;
    second[at] = square;
    const moved = mean === 0 ? 0 : (rate * mean) / (Math.sqrt(square) / scale + epsilon);
    values[at] = (values[at] as number) * keep - moved;
  }
}
