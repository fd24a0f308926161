import type { TokenIds } from "../../../foundation/contract/index.ts";

/** Another program that computes what an engine computes, of a checkpoint that the engine wrote. */
export interface Reference {
  /**
   * Of each sequence the log probability of every token of the vocabulary after each of its tokens, one position after the other:
   * [positions · vocabulary]. Computed in fp32.
   */
  logprobs(asked: ReferenceRequest): Promise<readonly Float32Array[]>;
}

export interface ReferenceRequest {
  /** A Hugging Face folder with its weights. */
  readonly folder: string;
  readonly sequences: readonly TokenIds[];
  /** Weights are rounded to bf16 first, as passes of such a precision round them. */
  readonly rounded: boolean;
}

/** There could be one, and is none. */
export interface ReferenceMissing {
  /** Why, and what brings it. */
  readonly missing: string;
}
