import type { EngineModel } from "whetstone";

/** Weights after a step, tensor by tensor, each flat. */
export type Weights = Readonly<Record<string, readonly number[]>>;

/** An update of ours, and the weights that another trainer made from the same weights, data and logprobs. */
export interface ExactCase {
  readonly loss: string;
  /** How far any weight may lie from the other trainer's: both compute in fp32, each in its own order. */
  readonly tolerance: number;
  /** Whose step it is compared with: stands in its file in fixtures/. */
  readonly source: string;
  /** The other trainer's weights after its steps. */
  readonly expected: Weights;
  /** Takes our steps from the weights of `fixtures/start`. */
  readonly train: (model: EngineModel) => Promise<unknown>;
}

export interface ExactRow {
  readonly loss: string;
  readonly max_abs_difference: number;
  readonly tolerance: number;
}
