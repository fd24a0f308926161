import type { BaseModel } from "./base-model.ts";
import type { HeldSampler } from "./held-sampler.ts";

/** What a sampling client draws from. */
export interface SamplingSession {
  readonly id: string;
  readonly baseName: string;
  /** Absent where the model is none that this server was started with: a checkpoint of an earlier one. */
  readonly base: BaseModel | undefined;
  readonly modelPath: string | undefined;
  /** The same again, when the client asks again. */
  readonly fingerprint: string;
  /** The weights as they are to be drawn from now. */
  held(): HeldSampler;
  /** Lets go of the weights. */
  release(): void;
}
