import { z } from "zod";
import type { Measurement } from "../../foundation/contract/index.ts";

/** Weights of all roles, and what they have learnt from: what a round can go on from. */
export const lineageSchema = z.object({
  /** The round that made them; 0 is the preparation. */
  round: z.number().int(),
  /** Checkpoint names by role. */
  checkpoints: z.record(z.string(), z.string()),
  /** Greatest difficulty trained so far. */
  trainedTo: z.number(),
  /** Artifacts of the rollouts that were kept and learnt from, oldest first. */
  rollouts: z.array(z.string()),
  /** Artifacts of the selections that were learnt from. */
  selections: z.array(z.string()),
});
export type Lineage = z.infer<typeof lineageSchema>;

/** What one round hands to the next: a function of the ledger's finished steps alone. */
export interface RunState {
  readonly round: number;
  readonly base: Lineage;
  readonly champion: Lineage;
  readonly championValidation: Measurement;
  /** The newest candidate, whatever became of it. */
  readonly last: Lineage;
  /** The last candidate, when it was not promoted and not given up. */
  readonly candidate: Lineage | null;
  /** Rejections since the champion was last the starting point. */
  readonly rejections: number;
  /** On validation items; null when the least difficulty is not solved. */
  readonly frontier: number | null;
  readonly stopped: string | null;
}

/** Rejected candidates that rounds go on from before they return to the champion. */
export const candidatesInARow = 3;

export function startingPoint(state: RunState): { lineage: Lineage; from: "base" | "champion" | "candidate" } {
  if (state.candidate !== null) return { lineage: state.candidate, from: "candidate" };
  return { lineage: state.champion, from: state.champion.round === 0 ? "base" : "champion" };
}
