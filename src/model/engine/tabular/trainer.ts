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
import { checkProjection, type Projection } from "../projection.ts";
import { checkTokens, type Limits } from "./limits.ts";
import { type LossTerms, termsOf } from "./loss.ts";
import { applyStep, checkStep, norm, type OptimizerState } from "./optimizer.ts";
import { project } from "./projection.ts";
import { grown, type Table } from "./table.ts";
import { Trace } from "./trace.ts";

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
  readonly #trace: Trace;
  readonly #slope: Float64Array;
  #step: number;
  #gradient: Float64Array = new Float64Array(0);
  #shared = false;

  constructor({ table, limits, step, optimizer }: TrainerState) {
    this.#table = table;
    this.#limits = limits;
    this.#step = step;
    this.#optimizer = optimizer;
    this.#trace = new Trace(table);
    this.#slope = new Float64Array(limits.vocabulary);
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

  /** Adds nothing before all is known to be right, so that a call that fails leaves the gradient as it was. */
  run(
    data: readonly Datum[],
    loss: Loss,
    returned: ReturnedLogprobs,
    backward: boolean,
  ): Omit<ForwardResult, "sequence"> {
    const terms = this.#check(data, loss);
    this.#trace.clear();
    const passes = data.map((datum, index) =>
      this.#trace.pass(datum, index, terms[index] as LossTerms, returned, backward),
    );
    if (backward) this.#addGradient();
    return {
      lossSum: passes.reduce((sum, pass) => sum + pass.loss, 0),
      positions: passes.reduce((sum, pass) => sum + pass.positions, 0),
      logprobs: passes.map(({ logprobs }) => logprobs),
    };
  }

  #check(data: readonly Datum[], loss: Loss): LossTerms[] {
    checkTargets(data);
    const terms = data.map((datum, index) => termsOf(loss, datum, index));
    for (const { tokens, targets } of data) {
      checkTokens(tokens, this.#limits);
      checkTokens(targets, this.#limits);
    }
    return terms;
  }

  #addGradient(): void {
    const { vocabulary } = this.#limits;
    for (const [place, { tokens, position, node }] of this.#trace.places.entries()) {
      const from = this.#table.rowOf(tokens, position, node) * vocabulary;
      this.#gradient = grown(this.#gradient, this.#table.rows * vocabulary);
      this.#trace.slope(place, this.#slope);
      for (let token = 0; token < vocabulary; token++)
        this.#gradient[from + token] =
          (this.#gradient[from + token] as number) + (this.#slope[token] as number);
    }
  }

  /** Each datum's own gradient, projected; nothing is changed by it. */
  gradientFeatures(data: readonly Datum[], loss: Loss, projection: Projection): Float32Array[] {
    checkProjection(projection);
    const terms = this.#check(data, loss);
    return data.map((datum, index) => {
      this.#trace.clear();
      this.#trace.pass(datum, index, terms[index] as LossTerms, "none", true);
      return project(this.#table, this.#trace, projection);
    });
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
