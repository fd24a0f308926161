import type { Tokenizer } from "../../foundation/contract/index.ts";
import type { EngineProgress } from "./definition.ts";

/** What a run asks of its model. */
export interface ModelNeeds {
  /** Every character that the task's prompts and responses use. */
  readonly characters: string;
  /** Items are conversations: the model must have a chat template. */
  readonly conversations?: boolean;
  /** Where relative paths begin: the folder of the run's configuration. */
  readonly projectFolder: string;
  /** Hears how far a download or a conversion is. */
  readonly onProgress?: EngineProgress;
  readonly signal?: AbortSignal;
}

export interface PreparedModel {
  readonly tokenizer: Tokenizer;
  /** A Hugging Face folder that every engine can read. */
  readonly path: string;
  /** It holds no weights: they are drawn from a seed. */
  readonly fromScratch: boolean;
  /** Its weights are adapters over a base, and it is they that are trained; absent where all weights are. */
  readonly adapters?: { readonly rank: number };
  /** Longest sequence, where the model has one. */
  readonly maxPositions?: number;
}

/** A model that is described but not yet there: what a configuration holds. */
export interface ModelDefinition {
  readonly name: string;
  /** What decides its weights, for `plan`, the ledger and the hash of the configuration. */
  readonly description: Readonly<Record<string, string | number | boolean>>;
  /**
   * Makes sure that the model's folder is there, writing it into `folder` where it must be made; may be called again.
   * Throws user errors for what is missing, `text-not-in-vocabulary` where the tokenizer lacks one of the characters, and
   * `no-chat-template` where conversations are needed and there is none.
   */
  prepare(folder: string, needs: ModelNeeds): Promise<PreparedModel>;
}
