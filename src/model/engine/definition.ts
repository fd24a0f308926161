import type { Engine, EngineCapabilities } from "../../foundation/contract/index.ts";

/** Tells how far something slow has come: what it does now, and which of `total` steps that is. */
export type EngineProgress = (label: string, done: number, total: number) => void;

export interface EngineContext {
  /** Where the engine's processes keep their logs, if it has any and was not told another folder. */
  readonly logFolder: string;
  readonly onProgress?: EngineProgress;
  readonly signal?: AbortSignal;
}

/** What an engine can do on any machine, known before it is opened. */
export type EngineAbilities = Pick<
  EngineCapabilities,
  | "losses"
  | "optimizers"
  | "precisions"
  | "stopStrings"
  | "topK"
  | "loraRank"
  | "gradientCheckpointing"
  | "topLogprobs"
  | "extensions"
  | "signedWeights"
  | "gradientClipping"
  | "weightDecay"
  | "topP"
  | "freshOptimizer"
  | "untold"
  | "deterministic"
  | "prices"
>;

/** An engine that is described but not started: what a configuration holds. */
export interface EngineDefinition {
  readonly name: string;
  /** What it was asked to be, for `plan` and the ledger. */
  readonly description: Readonly<Record<string, string | number | boolean>>;
  /** What it can do; absent where only the opened engine knows. */
  readonly abilities?: EngineAbilities;
  /** What a model in training takes of this machine's memory; absent where it lies elsewhere, or takes next to nothing. */
  readonly bytesPerParameter?: number;
  /** Sets up what is missing and returns the engine; the caller disposes it. */
  open(context: EngineContext): Promise<Engine>;
}
