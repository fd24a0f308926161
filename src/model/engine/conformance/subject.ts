import type { Engine, LoraOptions, Precision } from "../../../foundation/contract/index.ts";
import type { Reference, ReferenceMissing } from "./reference.ts";

/** What is checked: an engine, and a model that it can make. */
export interface ConformanceSubject {
  readonly engine: Engine;
  /**
   * A folder whose model is drawn from a seed: a configuration, and no weights. It takes sequences of 24 tokens. A server's
   * engine takes the model's name instead.
   */
  readonly modelFolder: string;
  readonly vocabularySize: number;
  /** Default fp32. Where the engine's logprobs are rough in it (above 0.01), they are compared on average too. */
  readonly precision?: Precision;
  /** Ids that a sample may hold, at least 6 of them; by default the whole vocabulary. */
  readonly tokens?: readonly number[];
  /** Adapters that every model is given, to check an engine that trains nothing else, or whether it trains them as well. */
  readonly lora?: LoraOptions;
  /** The folder holds adapters, and it is they that are trained: no others fit over them. Default false. */
  readonly adapters?: boolean;
  /** The model's weights are given: no seed decides them, and it is asked for lines of its own; where logprobs are rough its steps begin short. Default false. */
  readonly trained?: boolean;
  /** Opens another engine like this one, which the caller closes; what two of them must have in common is checked with it. */
  readonly another?: () => Promise<Engine>;
  /** Checkpoints are written on another machine, out of this one's sight. Default false. */
  readonly remote?: boolean;
  /** What transformers computes of a folder; absent where it cannot load what this engine writes. */
  readonly reference?: Reference | ReferenceMissing;
}

/** How far two quantities that are equal lie apart, relative to the expected one where that is above 1, or another small number. */
export interface Measurement {
  readonly what: string;
  readonly measured: number;
  readonly tolerance: number;
}

export type ConformanceOutcome =
  /** The comparison of the check that came nearest to its tolerance; absent where nothing was measured. */
  | { readonly outcome: "passed"; readonly worst?: Measurement }
  /** The engine does not claim to be able to do what the check is about. */
  | { readonly outcome: "not-applicable"; readonly reason: string };

/** One promise of the contract. */
export interface ConformanceCheck {
  readonly name: string;
  /** Belongs to the part that is short, and tells apart whether training and sampling can be relied on. */
  readonly fast: boolean;
  /**
   * Throws an engine error `conformance-failed` that says what differed, with `what`, `measured` and `tolerance` in its
   * details, and whatever the engine throws.
   */
  run(subject: ConformanceSubject): Promise<ConformanceOutcome>;
}
