import type { EngineModel, Sampler } from "../../../foundation/contract/index.ts";

/** What a call does to a model: only gradients and steps change it. */
export type StepKind = "read" | "gradient" | "step" | "snapshot" | "save";

/** One call on a model, written down before it is made. */
export interface LogicalStep<T = unknown> {
  readonly kind: StepKind;
  /** Makes the call; `again` where an earlier incarnation was given it already. */
  readonly make: (model: EngineModel, again: boolean) => Promise<T>;
  /** Whoever made the call still waits for the answer. */
  waited: boolean;
  readonly resolve: (answer: T) => void;
  readonly reject: (error: unknown) => void;
  /** Of a snapshot: what holds it now, or will. */
  held?: HeldSampler;
}

export interface HeldSampler extends PromiseWithResolvers<Sampler> {
  /** Once it is held. */
  sampler?: Sampler;
}

/**
 * The write-ahead record of one model: what must be done again, in this order, to weights that are loaded from its last
 * checkpoint, so that they are what they were. What a checkpoint holds is forgotten, and so is what changed nothing.
 */
export class StepRecord {
  #steps: LogicalStep[] = [];

  /** In the order in which the calls were made. */
  steps(): readonly LogicalStep[] {
    return this.#steps;
  }

  add(step: LogicalStep): void {
    this.#steps.push(step);
  }

  /** Of calls that failed, which have changed nothing, and of those that are answered and change nothing. */
  drop(step: LogicalStep): void {
    this.#steps = this.#steps.filter((other) => other !== step);
  }

  /**
   * Forgets what is in the checkpoint that this step saved; false where somebody still samples from weights of before it.
   * Gradients that no optimiser step has applied are in no checkpoint, and are of the very weights that it holds.
   */
  forgetUntil(save: LogicalStep): boolean {
    const place = this.#steps.indexOf(save);
    const before = this.#steps.slice(0, place);
    if (place < 0 || before.some(({ kind, waited }) => kind === "snapshot" || waited)) return false;
    const applied = before.findLastIndex(({ kind }) => kind === "step");
    const pending = before.slice(applied + 1).filter(({ kind }) => kind === "gradient");
    this.#steps = [...pending, ...this.#steps.slice(place + 1)];
    return true;
  }
}
