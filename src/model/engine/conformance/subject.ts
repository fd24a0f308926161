import type { Engine, Precision } from "../../../foundation/contract/index.ts";

/** What is checked: an engine, and a model that it can make. */
export interface ConformanceSubject {
  readonly engine: Engine;
  /** A folder whose model is drawn from a seed: a configuration, and no weights. It takes sequences of 24 tokens. */
  readonly modelFolder: string;
  readonly vocabularySize: number;
  /** Default fp32; bf16 makes sense where the engine's tolerance is small in it. */
  readonly precision?: Precision;
  /** Ids that a sample may hold, at least 6 of them; by default the whole vocabulary. */
  readonly tokens?: readonly number[];
}

export type ConformanceOutcome =
  | { readonly outcome: "passed" }
  /** The engine does not claim to be able to do what the check is about. */
  | { readonly outcome: "not-applicable"; readonly reason: string };

/** One promise of the contract. */
export interface ConformanceCheck {
  readonly name: string;
  /** Throws an engine error `conformance-failed` that says what differed, and whatever the engine throws. */
  run(subject: ConformanceSubject): Promise<ConformanceOutcome>;
}
