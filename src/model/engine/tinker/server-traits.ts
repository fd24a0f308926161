import type { EngineExtension } from "../../../foundation/contract/index.ts";

/** What sets servers of the API apart, as far as a client must know it. */
export interface ServerTraits {
  /** The server is ours: it says what its engine can, keeps samplers for as long as they are wanted, and knows masks. */
  readonly ours: boolean;
  /** Weights of cross_entropy count with the size and the sign that they have. */
  readonly signedWeights: boolean;
  /** A gradient is clipped where a step asks for it. */
  readonly gradientClipping: boolean;
  /** A step shrinks the weights as far as it asks for. */
  readonly weightDecay: boolean;
  /** Samples are of the likeliest tokens alone where that is asked for. */
  readonly topK: boolean;
  readonly topP: boolean;
  /** What is sampled from keeps its weights, whatever its model learns; else it is given a model of its own. */
  readonly keepsSamplers: boolean;
  /** A checkpoint can be loaded without its optimiser. */
  readonly freshOptimizer: boolean;
  /** What it can do beyond the API: nothing, where it is not ours. */
  readonly extensions: readonly EngineExtension[];
}
