import type {
  Datum,
  ForwardResult,
  Loss,
  OptimizerResult,
  OptimizerStep,
  ReturnedLogprobs,
} from "../../../foundation/contract/index.ts";
import { checkTargets } from "../datum.ts";
import { engineError } from "../engine-error.ts";
import { normalise } from "./distribution.ts";
import { checkTokens, type Limits } from "./limits.ts";
import { termsOf } from "./loss.ts";
import { applyStep, checkStep, norm, type OptimizerState } from "./optimizer.ts";
import { grown, type Table } from "./table.ts";

export interface TrainerState {
  readonly table: Table;
  readonly limits: Limits;
  /** Optimiser steps applied to the table. */
  readonly step: number;
  readonly optimizer: OptimizerState;
}

/** A table with exact gradients and an optimiser. */
export class Trainer {
  readonly #table: Table;
  readonly #limits: Limits;
  readonly #optimizer: OptimizerState;
  #step: number;
  #gradient: Float64Array = new Float64Array(0);
  #shared = false;
  readonly #logits: Float64Array;
  readonly #probabilities: Float64Array;

  constructor({ table, limits, step, optimizer }: TrainerState) {
    this.#table = table;
    this.#limits = limits;
    this.#step = step;
    this.#optimizer = optimizer;
    this.#logits = new Float64Array(limits.vocabulary);
    this.#probabilities = new Float64Array(limits.vocabulary);
  }

  /** To be read at once: later calls change it. */
  get table(): Table {
    return this.#table;
  }

  get step(): number {
    return this.#step;
  }

  get optimizer(): Readonly<OptimizerState> {
    return this.#optimizer;
  }

  /** The table as it is now; later steps do not change it. */
  view(): Table {
    this.#shared = true;
    return this.#table.view();
  }

  /** Checks everything before anything is added, so that a call that fails leaves the gradient as it was. */
  run(
    data: readonly Datum[],
    loss: Loss,
    returned: ReturnedLogprobs,
    backward: boolean,
  ): Omit<ForwardResult, "sequence"> {
    if (data.length === 0) throw engineError("bad-request", "A call has at least one datum.");
    checkTargets(data);
    const terms = data.map((datum, index) => termsOf(loss, datum, index));
    for (const { tokens, targets } of data) {
      checkTokens(tokens, this.#limits);
      checkTokens(targets, this.#limits);
    }
    let lossSum = 0;
    let positions = 0;
    const logprobs = data.map(({ tokens, targets }, datum) => {
      const { counts, at } = terms[datum] as (typeof terms)[number];
      const out = new Float32Array(returned === "none" ? 0 : tokens.length).fill(Number.NaN);
      const end = returned === "all" ? tokens.length : lastCounted(tokens.length, counts) + 1;
      let node = this.#table.index.start;
      for (let position = 0; position < end; position++) {
        const wanted = counts(position);
        node = backward
          ? this.#table.index.grow(tokens, position, node)
          : this.#table.index.node(tokens, position, node);
        if (!wanted && returned !== "all") continue;
        const row = backward && wanted ? this.#table.rowOf(tokens, position, node) : -1;
        this.#table.read(this.#logits, tokens, position, node);
        const target = targets[position] as number;
        const logprob = (this.#logits[target] as number) - normalise(this.#logits, this.#probabilities);
        if (returned !== "none") out[position] = logprob;
        if (!wanted) continue;
        const [value, derivative] = at(position, logprob);
        lossSum += value;
        positions += 1;
        if (backward) this.#addGradient(row, target, derivative);
      }
      return out;
    });
    return { lossSum, positions, logprobs };
  }

  /** d(logprob of the target)/d(logit) is 1 at the target, less the probability; impossible tokens have no gradient. */
  #addGradient(row: number, target: number, derivative: number): void {
    const { vocabulary } = this.#limits;
    this.#gradient = grown(this.#gradient, this.#table.rows * vocabulary);
    const from = row * vocabulary;
    for (let token = 0; token < vocabulary; token++)
      this.#gradient[from + token] =
        (this.#gradient[from + token] as number) - derivative * (this.#probabilities[token] as number);
    if ((this.#logits[target] as number) > Number.NEGATIVE_INFINITY)
      this.#gradient[from + target] = (this.#gradient[from + target] as number) + derivative;
  }

  /** Applies the gradient and clears it. Throws `non-finite-gradient`, and then only clears it. */
  optimStep(options: OptimizerStep): Omit<OptimizerResult, "sequence"> {
    const { sequence: _sequence, signal: _signal, ...step } = options;
    checkStep(step);
    const { vocabulary } = this.#limits;
    this.#gradient = grown(this.#gradient, this.#table.rows * vocabulary);
    const gradient = this.#gradient;
    const gradientNorm = norm(gradient);
    if (!Number.isFinite(gradientNorm)) {
      gradient.fill(0);
      throw engineError(
        "non-finite-gradient",
        "The gradient is not finite; the step was not applied: lower the rate.",
      );
    }
    if (this.#shared) this.#table.values = this.#table.values.slice();
    this.#shared = false;
    applyStep({ table: this.#table, gradient, gradientNorm, state: this.#optimizer, step });
    gradient.fill(0);
    this.#step += 1;
    return { step: this.#step, gradientNorm };
  }
}

function lastCounted(length: number, counts: (position: number) => boolean): number {
  let position = length - 1;
  while (position >= 0 && !counts(position)) position -= 1;
  return position;
}
