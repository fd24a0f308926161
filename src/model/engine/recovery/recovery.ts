import type { Clock } from "../../../foundation/base/index.ts";

/** Weights that a death took and that are held again. */
export interface Recovery {
  /** Code of the error that told of the death. */
  readonly reason: string;
  /** Which weights were lost, as {@link RecoveryOptions.nameOf} names them. */
  readonly weights: string;
  /** Optimiser steps that were made again; 0 of weights that are only sampled from. */
  readonly replayed: number;
  readonly seconds: number;
}

export interface RecoveryOptions {
  readonly clock: Clock;
  /** Deaths one after the other, with no new answer between them, after which the last one is told as it is; default 3. */
  readonly most?: number;
  /** What the folder of a checkpoint is called wherever it lies; default its path. */
  readonly nameOf?: (path: string) => string;
  readonly onRecovery?: (recovery: Recovery) => void;
}

/** Deaths in a row: whatever kills every worker that is given it is no accident. */
export class Patience {
  readonly #most: number;
  #deaths = 0;

  constructor({ most = 3 }: RecoveryOptions) {
    this.#most = most;
  }

  /** Counts a death; true when there were too many. */
  isSpent(): boolean {
    this.#deaths += 1;
    return this.#deaths > this.#most;
  }

  /** An answer that was not there before. */
  renew(): void {
    this.#deaths = 0;
  }
}
