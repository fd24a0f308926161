import { z } from "zod";
import type { Policy, SamplingPolicy } from "../../foundation/contract/index.ts";

/**
 * Weights that stand still while a pass learns: those that the run began its rounds with (`base`), those that the pass began with
 * (`start`), a rejected candidate's where the round goes on from one, or those of the champion as the round found it (`champion`; the
 * base's where none was promoted).
 */
export const referenceWeights = z.enum(["base", "start", "champion"]);
export type ReferenceWeights = z.output<typeof referenceWeights>;

/** The models that the parts of a pass may ask, beside the one that they write with or teach. */
export interface PassModels {
  /** A role's weights as they are while this is written; the lead's where the pass has no such role: one policy then plays both. */
  policyOf(role: string): SamplingPolicy;
  /** A role's earlier weights, loaded once and held until the pass ends. */
  reference(role: string, which: ReferenceWeights): Promise<SamplingPolicy>;
  /** A role's weights as they are while this is written, to be trained and thrown away: loaded from what was saved, without moments. */
  copy(role: string): Promise<PolicyCopy>;
}

/** Weights that nobody keeps: given back to the engine when they are disposed of. */
export interface PolicyCopy extends AsyncDisposable {
  readonly policy: Policy;
}
